#pragma once
// Attention over one request's keys in plain double-precision loops.
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace longer::reference {

/// One request: query rows q [rows, width], keys and values [keys, width], all heads side by side.
/// Row r sees the keys k with sees[r · keys + k] true.
struct AttentionCase {
  size_t rows = 0, keys = 0, width = 0, heads = 1;
  std::vector<double> q, k, v;
  std::vector<bool> sees;
};

struct Attention {
  std::vector<double> out;            // [rows, width]
  std::vector<double> lse;            // [rows, heads], natural log
  std::vector<double> probabilities;  // [heads, rows, keys]
};

inline Attention attention(const AttentionCase& c) {
  const size_t head_width = c.width / c.heads;
  Attention result{std::vector<double>(c.rows * c.width), std::vector<double>(c.rows * c.heads),
                   std::vector<double>(c.heads * c.rows * c.keys)};
  for (size_t h = 0; h < c.heads; ++h) {
    for (size_t r = 0; r < c.rows; ++r) {
      std::vector<double> score(c.keys);
      double largest = -std::numeric_limits<double>::infinity();
      for (size_t k = 0; k < c.keys; ++k) {
        for (size_t e = h * head_width; e < (h + 1) * head_width; ++e) {
          score[k] += c.q[r * c.width + e] * c.k[k * c.width + e];
        }
        score[k] /= std::sqrt(static_cast<double>(head_width));
        if (c.sees[r * c.keys + k] && score[k] > largest) largest = score[k];
      }
      double sum = 0.0;
      for (size_t k = 0; k < c.keys; ++k) {
        if (c.sees[r * c.keys + k]) sum += std::exp(score[k] - largest);
      }
      result.lse[r * c.heads + h] = largest + std::log(sum);
      for (size_t k = 0; k < c.keys; ++k) {
        if (!c.sees[r * c.keys + k]) continue;
        const double p = std::exp(score[k] - largest) / sum;
        result.probabilities[(h * c.rows + r) * c.keys + k] = p;
        for (size_t e = h * head_width; e < (h + 1) * head_width; ++e) {
          result.out[r * c.width + e] += p * c.v[k * c.width + e];
        }
      }
    }
  }
  return result;
}

struct AttentionGradient {
  std::vector<double> q, k, v;
};

inline AttentionGradient attention_backward(const AttentionCase& c,
                                            const std::vector<double>& d_out) {
  const size_t head_width = c.width / c.heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(head_width));
  const Attention forward = attention(c);
  AttentionGradient g{std::vector<double>(c.q.size()), std::vector<double>(c.k.size()),
                      std::vector<double>(c.v.size())};
  for (size_t h = 0; h < c.heads; ++h) {
    for (size_t r = 0; r < c.rows; ++r) {
      double mean = 0.0;  // Σ p · d_p
      std::vector<double> d_p(c.keys);
      for (size_t k = 0; k < c.keys; ++k) {
        const double p = forward.probabilities[(h * c.rows + r) * c.keys + k];
        for (size_t e = h * head_width; e < (h + 1) * head_width; ++e) {
          d_p[k] += d_out[r * c.width + e] * c.v[k * c.width + e];
          g.v[k * c.width + e] += p * d_out[r * c.width + e];
        }
        mean += p * d_p[k];
      }
      for (size_t k = 0; k < c.keys; ++k) {
        const double p = forward.probabilities[(h * c.rows + r) * c.keys + k];
        const double d_score = p * (d_p[k] - mean) * scale;
        for (size_t e = h * head_width; e < (h + 1) * head_width; ++e) {
          g.q[r * c.width + e] += d_score * c.k[k * c.width + e];
          g.k[k * c.width + e] += d_score * c.q[r * c.width + e];
        }
      }
    }
  }
  return g;
}

}  // namespace longer::reference
