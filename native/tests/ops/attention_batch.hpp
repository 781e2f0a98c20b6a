#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "ops/attention/attention.hpp"
#include "reference/attention.hpp"
#include "support/poison.hpp"
#include "support/random_data.hpp"

namespace longer::testing {

/// How the rows of a request see its keys.
enum class Sight {
  kCausal,      // own rows; row r sees own keys 0 … r
  kCandidates,  // all prefix keys and the own keys of one global, then itself
  kBlocks,      // all prefix keys and the own keys of two globals, then all of its block of three
  kAll,         // everything
  kNothing,
  kMixed  // row r sees [0, 7r mod (keys + 1)), and r mod 5 later keys where there are as many
};

struct Request {
  int64_t rows, prefix, own;
  Sight sight;
};

inline VisibleKeys visible_of(const Request& q, int64_t row) {
  const int64_t keys = q.prefix + q.own;
  switch (q.sight) {
    case Sight::kCausal:
      return {static_cast<int32_t>(q.prefix + row + 1), 0, 0};
    case Sight::kCandidates: {
      const auto end = static_cast<int32_t>(q.prefix + (q.own > 0 ? 1 : 0));
      if (row == 0 || q.own <= row) return {end, 0, 0};
      return {end, static_cast<int32_t>(q.prefix + row), static_cast<int32_t>(q.prefix + row + 1)};
    }
    case Sight::kBlocks: {
      if (row < 2) return {static_cast<int32_t>(q.prefix + row + 1), 0, 0};
      const int64_t begin = q.prefix + 2 + (row - 2) / 3 * 3;
      return {static_cast<int32_t>(q.prefix + 2), static_cast<int32_t>(begin),
              static_cast<int32_t>(std::min(begin + 3, keys))};
    }
    case Sight::kAll:
      return {static_cast<int32_t>(keys), 0, 0};
    case Sight::kNothing:
      return {0, 0, 0};
    case Sight::kMixed:
      break;
  }
  const int64_t end = 7 * row % (keys + 1);
  const int64_t own = std::min(row % 5, keys - end);
  return {static_cast<int32_t>(end), static_cast<int32_t>(keys - own), static_cast<int32_t>(keys)};
}

/// Ragged requests with rows between them that belong to nobody and hold poison.
class AttentionBatch {
 public:
  AttentionBatch(const std::vector<Request>& requests, int64_t heads, int64_t head_width,
                 uint64_t seed = 1)
      : requests_(requests), heads_(heads), width_(heads * head_width) {
    for (const Request& request : requests) {
      spans_.push_back({rows_ + 1, rows_ + 1 + request.rows, prefix_ + 2,
                        prefix_ + 2 + request.prefix, own_ + 1, own_ + 1 + request.own});
      visible_.resize(static_cast<size_t>(rows_ + 1), {0, 0, 0});
      for (int64_t r = 0; r < request.rows; ++r) visible_.push_back(visible_of(request, r));
      rows_ += request.rows + 1;
      prefix_ += request.prefix + 2;
      own_ += request.own + 1;
    }
    rows_ += 1;
    visible_.resize(static_cast<size_t>(rows_), {0, 0, 0});
    for (PoisonedMatrix* m : {&q, &out, &d_out, &d_q}) *m = PoisonedMatrix(rows_, width_);
    for (PoisonedMatrix* m : {&prefix_keys, &prefix_values, &d_prefix_keys, &d_prefix_values}) {
      *m = PoisonedMatrix(prefix_, width_, 7);
    }
    for (PoisonedMatrix* m : {&own_keys, &own_values, &d_own_keys, &d_own_values})
      *m = PoisonedMatrix(own_, width_);
    lse.assign(static_cast<size_t>(rows_ * heads), -7.0F);
    for (size_t i = 0; i < spans_.size(); ++i) {
      const AttentionSpan& s = spans_[i];
      const uint64_t key = seed * 1000 + i * 10;
      fill(q, s.query_begin, s.query_end, key);
      fill(d_out, s.query_begin, s.query_end, key + 1);
      fill(prefix_keys, s.prefix_begin, s.prefix_end, key + 2);
      fill(prefix_values, s.prefix_begin, s.prefix_end, key + 3);
      fill(own_keys, s.own_begin, s.own_end, key + 4);
      fill(own_values, s.own_begin, s.own_end, key + 5);
      for (PoisonedMatrix* m : {&d_prefix_keys, &d_prefix_values})
        ones(*m, s.prefix_begin, s.prefix_end);
      for (PoisonedMatrix* m : {&d_own_keys, &d_own_values}) ones(*m, s.own_begin, s.own_end);
    }
  }

  AttentionForward forward() {
    AttentionForward p;
    p.num_spans = static_cast<int64_t>(spans_.size());
    p.spans = spans_.data();
    p.visible = visible_.data();
    p.heads = heads_;
    p.q = q.view();
    p.prefix_keys = prefix_keys.view();
    p.prefix_values = prefix_values.view();
    p.own_keys = own_keys.view();
    p.own_values = own_values.view();
    p.out = out.view();
    p.lse = lse.data();
    return p;
  }
  AttentionBackward backward() {
    return {forward(),
            d_out.view(),
            d_q.view(),
            d_prefix_keys.view(),
            d_prefix_values.view(),
            d_own_keys.view(),
            d_own_values.view()};
  }

  /// The i-th request as the reference takes it.
  reference::AttentionCase case_of(size_t i) {
    const AttentionSpan& s = spans_[i];
    const Request& r = requests_[i];
    reference::AttentionCase c;
    c.rows = static_cast<size_t>(r.rows);
    c.keys = static_cast<size_t>(r.prefix + r.own);
    c.width = static_cast<size_t>(width_);
    c.heads = static_cast<size_t>(heads_);
    append(q, s.query_begin, s.query_end, &c.q);
    append(prefix_keys, s.prefix_begin, s.prefix_end, &c.k);
    append(own_keys, s.own_begin, s.own_end, &c.k);
    append(prefix_values, s.prefix_begin, s.prefix_end, &c.v);
    append(own_values, s.own_begin, s.own_end, &c.v);
    for (int64_t row = 0; row < r.rows; ++row) {
      const VisibleKeys& v = visible_[static_cast<size_t>(s.query_begin + row)];
      for (int64_t key = 0; key < r.prefix + r.own; ++key)
        c.sees.push_back(key < v.end || (v.own_begin <= key && key < v.own_end));
    }
    return c;
  }

  void append(PoisonedMatrix& m, int64_t begin, int64_t end, std::vector<double>* to) const {
    for (int64_t r = begin; r < end; ++r) to->insert(to->end(), m.row(r), m.row(r) + width_);
  }
  bool is_intact() const {
    for (const PoisonedMatrix* m :
         {&out, &d_q, &d_prefix_keys, &d_prefix_values, &d_own_keys, &d_own_values}) {
      if (!m->is_intact()) return false;
    }
    return true;
  }
  const AttentionSpan& span(size_t i) const { return spans_[i]; }
  VisibleKeys& visible(int64_t row) { return visible_[static_cast<size_t>(row)]; }
  int64_t rows() const { return rows_; }

 private:
  void fill(PoisonedMatrix& m, int64_t begin, int64_t end, uint64_t key) const {
    const auto values = random_floats((end - begin) * width_, key);
    for (int64_t r = begin; r < end; ++r)
      std::copy_n(values.data() + (r - begin) * width_, width_, m.row(r));
  }
  void ones(PoisonedMatrix& m, int64_t begin, int64_t end) const {
    for (int64_t r = begin; r < end; ++r) std::fill_n(m.row(r), width_, 1.0F);
  }

  std::vector<Request> requests_;
  int64_t heads_, width_;
  int64_t rows_ = 0, prefix_ = 0, own_ = 0;
  std::vector<AttentionSpan> spans_;
  std::vector<VisibleKeys> visible_;

 public:
  PoisonedMatrix q{0, 0}, out{0, 0}, d_out{0, 0}, d_q{0, 0};
  PoisonedMatrix prefix_keys{0, 0}, prefix_values{0, 0}, d_prefix_keys{0, 0}, d_prefix_values{0, 0};
  PoisonedMatrix own_keys{0, 0}, own_values{0, 0}, d_own_keys{0, 0}, d_own_values{0, 0};
  std::vector<float> lse;
};

}  // namespace longer::testing
