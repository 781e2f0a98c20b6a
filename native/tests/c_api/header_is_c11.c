/* longer.h compiles as C11 and links from C: version, one life of a model, one failure. */
#include <stdio.h>
#include <string.h>

#include "longer/c/longer.h"

static const char kConfig[] =
    "{\"format_version\": 1, \"tables\": [{\"name\": \"item\", \"width\": 4}],"
    " \"event_features\": [{\"name\": \"item\", \"table\": \"item\"}],"
    " \"candidate_features\": [{\"name\": \"item\", \"table\": \"item\"}],"
    " \"tasks\": [{\"name\": \"click\"}], \"event_width\": 4, \"inner_heads\": 2, \"heads\": 2}";

static int check(int holds, const char* what) {
  if (!holds) fprintf(stderr, "failed: %s\n", what);
  return holds ? 0 : 1;
}

int main(void) {
  int failures = 0;
  longer_error error;
  memset(&error, 0, sizeof error);
  longer_device device = {LONGER_DEVICE_CPU, 0, 1, 0};

  failures += check(strlen(longer_version()) > 0, "longer_version");
  failures += check(longer_abi_version() > 0, "longer_abi_version");

  longer_model* model = longer_model_create(kConfig, (int64_t)strlen(kConfig), 1, &device, &error);
  failures += check(model != NULL, error.message);
  failures += check(longer_live_handles() == 1, "one live handle");
  failures += check(longer_model_num_parameters(model) > 0, "longer_model_num_parameters");
  longer_model_destroy(model);
  longer_model_destroy(NULL);

  failures +=
      check(longer_model_create("{", 1, 1, &device, &error) == NULL, "broken config is refused");
  failures += check(error.code == LONGER_INVALID_ARGUMENT, "broken config is INVALID_ARGUMENT");
  failures += check(error.message[0] != '\0', "a failure says why");
  failures += check(longer_live_handles() == 0, "no live handle");
  return failures == 0 ? 0 : 1;
}
