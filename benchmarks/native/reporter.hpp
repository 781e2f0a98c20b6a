#pragma once
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

#include "core/thread_pool.hpp"

namespace longer::bench {

/// Median, best and spread of one call.
struct Timing {
  double median_us = 0.0;
  double best_us = 0.0;
  double noise_percent = 0.0;  // interquartile range over median
};

/// Calls `body` until warm, then in 30 samples of at least 200 µs each. Without a pool it counts
/// the processor time of the calling thread, which other processes on the machine disturb less;
/// with one, the time on the wall.
Timing measure(const ThreadPool* pool, const std::function<void()>& body);

/// Prints a table row and, where asked for, a JSON line per measurement.
class Reporter {
 public:
  Reporter(double peak_gflops, int threads, std::FILE* json)
      : peak_(peak_gflops), threads_(threads), json_(json) {}

  /// `flops` and `bytes` of one call; 0 = not counted.
  void add(const std::string& op, const std::string& shape, const Timing& timing, double flops,
           double bytes);

 private:
  double peak_;
  int threads_;
  std::FILE* json_;
};

/// Floating-point operations a second of one thread running nothing but fused multiply-adds
/// (multiplications and additions on the portable tier), on the tier in use.
double measure_fma_peak();

/// What each operation's file implements. `pool` null = calling thread.
void bench_linear(ThreadPool* pool, Reporter& reporter);
void bench_layer_norm(ThreadPool* pool, Reporter& reporter);
void bench_attention(ThreadPool* pool, Reporter& reporter);
void bench_event_encoder(ThreadPool* pool, Reporter& reporter);
void bench_training(ThreadPool* pool, Reporter& reporter);
void bench_append(ThreadPool* pool, Reporter& reporter);

}  // namespace longer::bench
