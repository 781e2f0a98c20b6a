#pragma once
#include <string>
#include <vector>

#include "gpu/workload.hpp"
#include "training/trainer_options.hpp"

namespace longer::bench {

/// Each prints one line of JSON per figure.
void bench_training(const Shape& shape, const std::vector<std::string>& ids, int steps,
                    Precision precision);
void bench_serving(const Shape& shape, int repetitions);

}  // namespace longer::bench
