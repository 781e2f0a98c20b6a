// longer_shard_training SHARDS CONFIG THREADS BATCH EPOCHS: trains over a shard folder through the
// C ABI in a plain loop, in the order that Java's Trainer.fit has, and prints one line of JSON: the
// requests per second of the passes after the first, and the loss of the last step.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "longer/c/longer.h"

namespace {

constexpr int64_t kRun = int64_t{1} << 32;  // orders of the first run
constexpr uint64_t kSeed = 1;

[[noreturn]] void fail(const char* message) {
  std::fprintf(stderr, "longer_shard_training: %s\n", message);
  std::exit(1);
}

void check(longer_status status, const longer_error& error) {
  if (status != LONGER_OK) fail(error.message);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) fail("usage: longer_shard_training SHARDS CONFIG THREADS BATCH EPOCHS");
  std::ifstream file(argv[2]);
  const std::string config(std::istreambuf_iterator<char>(file), {});
  const auto config_bytes = static_cast<int64_t>(config.size());
  const longer_device device = {LONGER_DEVICE_CPU, 0, std::atoi(argv[3]), 0};
  longer_error error{};
  longer_shards* shards = longer_shards_open(argv[1], 0, &error);
  if (shards == nullptr) fail(error.message);
  longer_model* model = longer_model_create(config.data(), config_bytes, kSeed, &device, &error);
  if (model == nullptr) fail(error.message);
  longer_trainer_options options;
  longer_trainer_options_default(&options);
  options.seed = kSeed;
  longer_trainer* trainer = longer_trainer_create(model, &options, &device, &error);
  if (trainer == nullptr) fail(error.message);

  longer_reader_options pass;
  longer_reader_options_default(&pass);
  pass.batch_requests = std::atoll(argv[4]);
  pass.seed = kSeed;
  pass.threads = 1;
  std::vector<double> rates;
  longer_step_result result{};
  result.struct_bytes = sizeof(result);
  const int epochs = std::atoi(argv[5]);
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    pass.epoch = kRun | epoch;
    longer_reader* reader =
        longer_reader_create(shards, config.data(), config_bytes, &pass, &error);
    if (reader == nullptr) fail(error.message);
    longer_batch batch{};
    batch.struct_bytes = sizeof(batch);
    int64_t requests = 0;
    for (;;) {
      check(longer_reader_next(reader, &batch, &error), error);
      if (batch.num_requests == 0) break;
      check(longer_trainer_step(trainer, &batch, &error), error);
      check(longer_trainer_result(trainer, &result, &error), error);
      requests += result.num_requests;
    }
    longer_reader_destroy(reader);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (epoch > 1) rates.push_back(static_cast<double>(requests) / seconds.count());
  }
  if (rates.empty()) fail("EPOCHS must be at least 2");
  std::sort(rates.begin(), rates.end());
  std::printf("{\"requestsPerSecond\": %.6f, \"loss\": %.17g}\n", rates[rates.size() / 2],
              result.loss);
  longer_trainer_destroy(trainer);
  longer_model_destroy(model);
  longer_shards_destroy(shards);
  return 0;
}
