// Wrong config texts: the error names the JSON pointer of what is wrong.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "longer/c/longer.h"
#include "support/c_abi.hpp"

namespace longer::testing {
namespace {

using Json = nlohmann::json;

struct BadConfig {
  std::string name;
  std::string pointer;  // where the value is put, and what the error must name
  Json value;
  longer_status status = LONGER_INVALID_ARGUMENT;
  std::string named = "";  // where the error names another pointer
};

std::vector<BadConfig> bad_configs() {
  return {
      {"UnknownKey", "/heigth", 3},
      {"UnknownTableKey", "/tables/0/columns", 3},
      {"TextWidth", "/tables/0/width", "3"},
      {"ZeroWidth", "/tables/0/width", 0},
      {"HugeWidth", "/tables/0/width", 1e18},
      {"NegativeRows", "/tables/1/rows", -1},
      {"UnsignedOverflow", "/max_history", 18446744073709551615ULL},
      {"FractionalHistory", "/max_history", 10.5},
      {"ZeroHistory", "/max_history", 0},
      {"TablesNoArray", "/tables", 7},
      {"NoTables", "/tables", Json::array(), LONGER_INVALID_ARGUMENT, "/event_features/0/table"},
      {"NoEventFeatures", "/event_features", Json::array()},
      {"NoCandidateFeatures", "/candidate_features", Json::array(), LONGER_INVALID_ARGUMENT,
       "/candidate_tokens/0/features/0"},
      {"NoTasks", "/tasks", Json::array()},
      {"FeatureOfNoTable", "/event_features/1/table", "actor"},
      {"FeatureWithoutName", "/event_features/0", Json{{"table", "movie"}}, LONGER_INVALID_ARGUMENT,
       "/event_features/0/name"},
      {"FeatureTwice", "/event_features/1/name", "movie"},
      {"UserFeatureInContext", "/context_features/0/name", "user", LONGER_INVALID_ARGUMENT,
       "/global_tokens/0/features/1"},
      {"NoCandidateTokens", "/candidate_tokens", Json::array()},
      {"TokenTwice", "/candidate_tokens/0/name", "user"},
      {"ReservedTokenName", "/global_tokens/0/name", "query"},
      {"TokenOfUnknownFeature", "/candidate_tokens/0/features/1", "user"},
      {"TokenFeatureTwice", "/global_tokens/0/features/1", "user"},
      {"TokenWithoutFeatures", "/global_tokens/0/features", Json::array()},
      {"TokenFeaturesNoArray", "/global_tokens/0/features", "user"},
      {"UnknownStrategy", "/query_strategy", "OLDEST"},
      {"TableTwice", "/tables/1/name", "movie"},
      {"BlankName", "/tables/0/name", "a b"},
      {"NegativeTaskWeight", "/tasks/0/weight", -1},
      {"HeadsDoNotDivide", "/heads", 3},
      {"InnerHeadsDoNotDivide", "/inner_heads", 3},
      {"ZeroHeads", "/heads", 0},
      {"DropoutOfOne", "/dropout", 1},
      {"NegativeDropout", "/dropout", -0.1},
      {"ZeroAdmission", "/tables/0/admission", 0},
      {"AdmissionToADenseTable", "/tables/1/admission", 2},
      {"ZeroSamplingRate", "/tasks/0/negative_sampling_rate", 0},
      {"SamplingRateAboveOne", "/tasks/0/negative_sampling_rate", 1.5},
      {"TextAsTaskWeight", "/tasks/0/weight", "much"},
      {"ZeroMerge", "/merge_factor", 0},
      {"NegativeCls", "/cls_tokens", -1},
      {"UnknownAnchor", "/anchor", "MIDDLE"},
      {"NumberAsTime", "/time", 1},
      {"UnknownVisibility", "/global_visibility", "ALL"},
      {"UnknownHead", "/head", "POOL"},
      {"OtherVersion", "/format_version", 99, LONGER_UNSUPPORTED},
  };
}

std::ostream& operator<<(std::ostream& out, const BadConfig& bad) { return out << bad.name; }

class BadConfigs : public CApiTest, public ::testing::WithParamInterface<BadConfig> {};

TEST_P(BadConfigs, NameTheJsonPointer) {
  const BadConfig& bad = GetParam();
  Json json = Json::parse(film_config().to_json());
  json[Json::json_pointer(bad.pointer)] = bad.value;
  const std::string text = json.dump();
  const longer_device device = cpu_device(1);
  longer_error error{};
  EXPECT_EQ(longer_model_create(text.data(), static_cast<int64_t>(text.size()), 1, &device, &error),
            nullptr);
  EXPECT_EQ(error.code, bad.status);
  const std::string& named = bad.named.empty() ? bad.pointer : bad.named;
  EXPECT_NE(std::string(error.message).find(named + ":"), std::string::npos) << error.message;

  longer_error again{};
  int64_t needed = 0;
  EXPECT_EQ(longer_config_normalize(text.data(), static_cast<int64_t>(text.size()), nullptr, 0,
                                    &needed, &again),
            bad.status);
  EXPECT_STREQ(again.message, error.message);
}

INSTANTIATE_TEST_SUITE_P(Faults, BadConfigs, ::testing::ValuesIn(bad_configs()),
                         [](const ::testing::TestParamInfo<BadConfig>& bad) {
                           return bad.param.name;
                         });

using ConfigText = CApiTest;

TEST_F(ConfigText, ThatIsNoJsonIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("nul"),
        std::string("{\"heads\": \"\xff\"}"), std::string(100000, '[')}) {
    longer_error error{};
    int64_t needed = 0;
    EXPECT_EQ(longer_config_normalize(text.data(), static_cast<int64_t>(text.size()), nullptr, 0,
                                      &needed, &error),
              LONGER_INVALID_ARGUMENT);
    EXPECT_NE(std::string(error.message), "");
  }
}

TEST_F(ConfigText, NormalisesToItself) {
  for (const ModelCase& model_case : model_cases()) {
    SCOPED_TRACE(model_case.name);
    const std::string text = model_case.config.to_json();
    int64_t needed = 0;
    longer_error error{};
    const auto bytes = static_cast<int64_t>(text.size());
    ASSERT_EQ(longer_config_normalize(text.data(), bytes, nullptr, 0, &needed, &error), LONGER_OK)
        << error.message;
    ASSERT_EQ(needed, bytes + 1);
    std::vector<char> normalised(static_cast<size_t>(needed), 'x');
    ASSERT_EQ(
        longer_config_normalize(text.data(), bytes, normalised.data(), needed - 1, &needed, &error),
        LONGER_OK);
    EXPECT_EQ(normalised[0], 'x') << "too small a buffer must stay untouched";
    ASSERT_EQ(
        longer_config_normalize(text.data(), bytes, normalised.data(), needed, &needed, &error),
        LONGER_OK);
    EXPECT_EQ(std::string(normalised.data()), text);
  }
}

}  // namespace
}  // namespace longer::testing
