#include <vector>

#include "core/random.hpp"
#include "ops/layer_norm/layer_norm.hpp"
#include "reporter.hpp"

namespace longer::bench {

void bench_layer_norm(ThreadPool* pool, Reporter& reporter) {
  for (const auto& [rows, cols] :
       {std::pair<int64_t, int64_t>{4096, 256}, {8192, 32}, {2048, 1024}, {32, 256}, {1, 256}}) {
    const auto count = static_cast<size_t>(rows * cols);
    std::vector<float> x(count), y(count), weight(static_cast<size_t>(cols), 1.0F),
        bias(static_cast<size_t>(cols));
    std::vector<float> mean(static_cast<size_t>(rows)), rstd(static_cast<size_t>(rows));
    std::vector<float> d_weight(weight.size()), d_bias(weight.size());
    fill_normal(1, 1, 0, 1.0F, x.data(), rows * cols);
    const MatrixView in{x.data(), rows, cols, cols};
    const MatrixView out{y.data(), rows, cols, cols};
    const std::string shape = "[" + std::to_string(rows) + ", " + std::to_string(cols) + "]";
    const auto elements = static_cast<double>(count);
    reporter.add("layer_norm_forward", shape,
                 measure(pool,
                         [&] {
                           layer_norm_forward(pool, in, weight.data(), bias.data(), out,
                                              mean.data(), rstd.data());
                         }),
                 8.0 * elements, 8.0 * elements);
    std::vector<float> dx(count);
    reporter.add("layer_norm_backward", shape,
                 measure(pool,
                         [&] {
                           layer_norm_backward(pool, in, weight.data(), mean.data(), rstd.data(),
                                               out, {dx.data(), rows, cols, cols}, Write::kSet,
                                               d_weight.data(), d_bias.data());
                         }),
                 18.0 * elements, 12.0 * elements);
  }
}

}  // namespace longer::bench
