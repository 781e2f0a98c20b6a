#pragma once
// A pre-norm transformer block over a few rows, forward and backward (native/docs/model.md, "Token
// merge", "Layers").
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "reference/model_math.hpp"

namespace longer::model_reference {

/// Factor by which dropout multiplies an element of what a block adds to query i: site 0 after the
/// attention, 1 after the feed-forward. Empty without dropout.
using BlockDropout = std::function<double(int site, size_t query, size_t column)>;

inline Vector drop(const BlockDropout& dropout, int site, size_t query, const Vector& x) {
  Vector y = x;
  for (size_t i = 0; dropout && i < y.size(); ++i) y[i] *= dropout(site, query, i);
  return y;
}

/// What a block's backward pass reads; `output` is the block's result, one row per query.
struct BlockTrace {
  Rows input;                                // all rows
  Rows normed;                               // LN₁ of all rows
  Rows qkv;                                  // q | k | v of all rows
  std::vector<size_t> queries;               // rows that go on
  std::vector<std::vector<size_t>> visible;  // per query: rows it sees
  std::vector<Rows> probabilities;           // per query and head: one number per visible row
  Rows attended;                             // per query: heads' results side by side
  Rows middle;                               // per query: after the attention's residual
  Rows middle_normed, hidden;                // per query: LN₂, fc1's result before gelu
  BlockDropout dropout;
  Rows output;
};

/// Attention of one query row over the rows it sees, one head after the other.
inline Vector attend(const Rows& qkv, size_t query, const std::vector<size_t>& visible,
                     size_t heads, Rows* probabilities) {
  const size_t width = qkv[query].size() / 3;
  const size_t head_width = width / heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(head_width));
  Vector result(width, 0.0);
  probabilities->assign(heads, Vector(visible.size(), 0.0));
  for (size_t h = 0; h < heads; ++h) {
    Vector& p = (*probabilities)[h];
    double largest = -INFINITY;
    for (size_t j = 0; j < visible.size(); ++j) {
      for (size_t e = h * head_width; e < (h + 1) * head_width; ++e) {
        p[j] += qkv[query][e] * qkv[visible[j]][width + e] * scale;
      }
      largest = std::max(largest, p[j]);
    }
    double total = 0.0;
    for (double& value : p) total += value = std::exp(value - largest);
    for (size_t j = 0; j < visible.size(); ++j) {
      p[j] /= total;
      for (size_t e = h * head_width; e < (h + 1) * head_width; ++e) {
        result[e] += p[j] * qkv[visible[j]][2 * width + e];
      }
    }
  }
  return result;
}

/// Adds to d_qkv what one query's attention sends back.
inline void attend_backward(const Rows& qkv, size_t query, const std::vector<size_t>& visible,
                            const Rows& probabilities, const Vector& d_result, Rows& d_qkv) {
  const size_t width = qkv[query].size() / 3;
  const size_t heads = probabilities.size();
  const size_t head_width = width / heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(head_width));
  for (size_t h = 0; h < heads; ++h) {
    const Vector& p = probabilities[h];
    Vector d_p(visible.size(), 0.0);
    double mean_d_p = 0.0;
    for (size_t j = 0; j < visible.size(); ++j) {
      for (size_t e = h * head_width; e < (h + 1) * head_width; ++e) {
        d_p[j] += d_result[e] * qkv[visible[j]][2 * width + e];
        d_qkv[visible[j]][2 * width + e] += p[j] * d_result[e];
      }
      mean_d_p += p[j] * d_p[j];
    }
    for (size_t j = 0; j < visible.size(); ++j) {
      const double d_score = p[j] * (d_p[j] - mean_d_p) * scale;
      for (size_t e = h * head_width; e < (h + 1) * head_width; ++e) {
        d_qkv[query][e] += d_score * qkv[visible[j]][width + e];
        d_qkv[visible[j]][width + e] += d_score * qkv[query][e];
      }
    }
  }
}

/// Runs the block named `prefix` ("layers.0.", "token_merge.inner.1.") over `input` for the rows
/// `queries`.
inline BlockTrace block_forward(const Weights& w, const std::string& prefix, size_t heads,
                                const Rows& input, const std::vector<size_t>& queries,
                                const std::vector<std::vector<size_t>>& visible,
                                const BlockDropout& dropout = {}) {
  BlockTrace t;
  t.dropout = dropout;
  t.input = input;
  t.queries = queries;
  t.visible = visible;
  for (const Vector& x : input) {
    t.normed.push_back(layer_norm(w, prefix + "ln1", x));
    t.qkv.push_back(linear(w, prefix + "qkv", t.normed.back()));
  }
  t.probabilities.resize(queries.size());
  for (size_t i = 0; i < queries.size(); ++i) {
    t.attended.push_back(attend(t.qkv, queries[i], visible[i], heads, &t.probabilities[i]));
    t.middle.push_back(
        sum(input[queries[i]], drop(dropout, 0, i, linear(w, prefix + "out", t.attended[i]))));
    t.middle_normed.push_back(layer_norm(w, prefix + "ln2", t.middle[i]));
    t.hidden.push_back(linear(w, prefix + "fc1", t.middle_normed[i]));
    t.output.push_back(
        sum(t.middle[i], drop(dropout, 1, i, linear(w, prefix + "fc2", gelu(t.hidden[i])))));
  }
  return t;
}

/// d_output has one row per query. Adds to the gradients of the weights; returns the gradient of
/// all input rows.
inline Rows block_backward(const Weights& w, const std::string& prefix, const BlockTrace& t,
                           const Rows& d_output, Weights& gradients) {
  Rows d_input = zeros_like(t.input);
  Rows d_qkv = zeros_like(t.qkv);
  for (size_t i = 0; i < t.queries.size(); ++i) {
    const Vector d_activated = linear_backward(w, prefix + "fc2", gelu(t.hidden[i]),
                                               drop(t.dropout, 1, i, d_output[i]), gradients);
    const Vector d_middle_normed = linear_backward(
        w, prefix + "fc1", t.middle_normed[i], gelu_backward(t.hidden[i], d_activated), gradients);
    Vector d_middle = d_output[i];
    add_to(d_middle,
           layer_norm_backward(w, prefix + "ln2", t.middle[i], d_middle_normed, gradients));
    add_to(d_input[t.queries[i]], d_middle);
    const Vector d_attended = linear_backward(w, prefix + "out", t.attended[i],
                                              drop(t.dropout, 0, i, d_middle), gradients);
    attend_backward(t.qkv, t.queries[i], t.visible[i], t.probabilities[i], d_attended, d_qkv);
  }
  for (size_t r = 0; r < t.input.size(); ++r) {
    const Vector d_normed = linear_backward(w, prefix + "qkv", t.normed[r], d_qkv[r], gradients);
    add_to(d_input[r], layer_norm_backward(w, prefix + "ln1", t.input[r], d_normed, gradients));
  }
  return d_input;
}

}  // namespace longer::model_reference
