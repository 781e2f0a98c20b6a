// longer_gpu_bench train|serve [--shapes A,B,…] [--ids zipf,uniform] [--steps N]
// [--precision bf16|fp32]: times training
// steps and serving on the GPU and prints a line of JSON per figure; benchmarks/gpu.py makes the
// table. Times are the device's, in a running loop.
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>

#include "gpu/benches.hpp"
#include "longer/error.hpp"

namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  return parts;
}

int usage() {
  std::fprintf(stderr,
               "usage: longer_gpu_bench train|serve [--shapes A,B] [--ids zipf,uniform] "
               "[--steps N] [--precision bf16|fp32]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc % 2 != 0) return usage();
  const std::string what = argv[1];
  std::map<std::string, std::string> options = {
      {"--shapes", what == "serve" ? "paper" : "paper,wide,long,packed,ragged"},
      {"--ids", "zipf,uniform"},
      {"--steps", "50"},
      {"--precision", "bf16"}};
  for (int i = 2; i < argc; i += 2) {
    if (options.find(argv[i]) == options.end()) return usage();
    options[argv[i]] = argv[i + 1];
  }
  const int steps = std::atoi(options["--steps"].c_str());
  const std::string& precision = options["--precision"];
  if (steps < 1 || (precision != "bf16" && precision != "fp32")) return usage();
  try {
    for (const std::string& name : split(options["--shapes"])) {
      const longer::bench::Shape& shape = longer::bench::shape_named(name);
      if (what == "train") {
        longer::bench::bench_training(
            shape, split(options["--ids"]), steps,
            precision == "bf16" ? longer::Precision::kBf16 : longer::Precision::kFp32);
      } else if (what == "serve") {
        longer::bench::bench_serving(shape, steps);
      } else {
        return usage();
      }
    }
  } catch (const longer::Error& error) {
    std::fprintf(stderr, "longer_gpu_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
