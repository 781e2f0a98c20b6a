#include "ops/segment_sum/table_gradient_cpu.hpp"

#include "ops/segment_sum/segment_index.hpp"
#include "ops/segment_sum/segment_sum.hpp"

namespace longer {
namespace {

class CpuRowGroups final : public RowGroups {
 public:
  int64_t bytes() const override {
    return static_cast<int64_t>(sources.capacity() * sizeof(RowSource));
  }
  std::vector<RowSource> sources;
  int64_t num_table_rows = 0;
};

const CpuRowGroups& cpu(const RowGroups& groups) {
  return static_cast<const CpuRowGroups&>(groups);
}

class CpuTableGradient final : public TableGradient {
 public:
  explicit CpuTableGradient(int64_t width) : width_(width) {}

  void clear(Stream&) override {
    index_.clear();
    sums_.clear();
  }
  void reserve(Stream&, const RowGroups&, bool) override {}
  void add(Stream& stream, const RowGroups& groups,
           const std::vector<GradientRows>& rows) override {
    const Segments segments =
        index_.add(cpu(groups).sources, rows, width_, cpu(groups).num_table_rows);
    sums_.resize(index_.rows().size() * static_cast<size_t>(width_), 0.0F);
    add_segments_cpu(static_cast<CpuStream&>(stream), segments, sums_.data());
  }
  void add_to(float* table) const {
    add_rows_cpu({index_.rows().data(), num_rows(), width_, sums_.data(), table});
  }
  void add_squares(Stream& stream, double* sum) override {
    *sum += squared_norm(static_cast<CpuStream&>(stream).pool(), sums_.data(),
                         static_cast<int64_t>(sums_.size()));
  }
  void update(Stream& stream, RowWiseAdagradStep p) override {
    p.rows = index_.rows().data();
    p.gradients = sums_.data();
    p.num_rows = num_rows();
    p.width = width_;
    row_wise_adagrad_step(static_cast<CpuStream&>(stream).pool(), p);
  }
  Rows fetch(Stream&) override {
    return {&index_.rows(), ConstMatrixView(sums_.data(), num_rows(), width_)};
  }
  int64_t bytes() const override {
    return index_.bytes() + static_cast<int64_t>(sums_.capacity() * sizeof(float));
  }

 private:
  int64_t num_rows() const { return static_cast<int64_t>(index_.rows().size()); }

  int64_t width_;
  SegmentIndex index_;
  std::vector<float> sums_;
};

}  // namespace

void group_rows_cpu(const std::vector<RowSource>& sources, int64_t num_table_rows,
                    std::unique_ptr<RowGroups>& groups) {
  if (groups == nullptr) groups = std::make_unique<CpuRowGroups>();
  auto& own = static_cast<CpuRowGroups&>(*groups);
  own.sources = sources;
  own.num_table_rows = num_table_rows;
}

std::unique_ptr<TableGradient> make_table_gradient_cpu(int64_t width) {
  return std::make_unique<CpuTableGradient>(width);
}

void add_to_rows_cpu(CpuStream& stream, const RowGroups& groups,
                     const std::vector<GradientRows>& rows, int64_t width, float* table) {
  CpuTableGradient sums(width);
  sums.add(stream, groups, rows);
  sums.add_to(table);
}

}  // namespace longer
