#include "core/growing_array.hpp"
#include "ops/cuda_launch.hpp"
#include "ops/optimizer/optimizer_cuda.hpp"
#include "ops/segment_sum/table_gradient_cuda.hpp"
#include "ops/sort/number_in_order.cuh"

namespace longer {
namespace {

constexpr int kLanes = 32;
constexpr int kChunk = 64;          // sorted pairs that one warp sums
constexpr int kChunksPerBlock = 4;  // warps
constexpr int kJoinWarps = 8;
constexpr int kLoads = 8;  // gradient rows under way at once
constexpr size_t kMostSources = 120;

/// The gradient rows of all sources, by number; a kernel's parameter.
struct Sources {
  int32_t count;
  int32_t first[kMostSources];
  GradientRows rows[kMostSources];

  __device__ const float* row(int32_t number) const {
    int32_t s = count - 1;
    while (first[s] > number) --s;
    return rows[s].values + (number - first[s]) * rows[s].stride;
  }
};

/// Sorted pairs and where their sums go: to the rows of a dense table, added to what is there, or
/// to slots, of which those from *first_new on hold nothing yet.
struct Sums {
  const int32_t* rows;
  const int32_t* gradient_rows;
  int64_t size;
  int64_t num_table_rows;
  int64_t width;
  float* target;
  const int32_t* slot_after_of_row;  // slot + 1; null for a dense table
  const int32_t* first_new;

  __device__ bool is_first(int64_t i) const { return i == 0 || rows[i - 1] != rows[i]; }
  __device__ bool is_last(int64_t i) const { return i + 1 == size || rows[i + 1] != rows[i]; }
  __device__ void add(int32_t row, int64_t col, float sum) const {
    if (row >= num_table_rows) return;
    if (slot_after_of_row == nullptr) {
      target[row * width + col] += sum;
      return;
    }
    const int32_t slot = slot_after_of_row[row] - 1;
    float& to = target[slot * width + col];
    to = slot >= *first_new ? sum : to + sum;
  }
};

/// Sums each run of one row inside a chunk in order. A run that began in a chunk before leaves its
/// part in `heads`, one that began here and goes on behind in `tails` [chunks, width].
__global__ void sum_chunks_kernel(Sums s, Sources sources, float* heads, float* tails) {
  const int64_t chunk = static_cast<int64_t>(blockIdx.x) * kChunksPerBlock + threadIdx.y;
  const int64_t begin = chunk * kChunk;
  if (begin >= s.size) return;
  const int64_t end = min(s.size, begin + kChunk);
  for (int64_t col = threadIdx.x; col < s.width; col += kLanes) {
    bool is_head = !s.is_first(begin);
    float sum = 0.0F;
    for (int64_t at = begin; at < end; at += kLoads) {
      float loaded[kLoads];
#pragma unroll
      for (int i = 0; i < kLoads; ++i)
        loaded[i] = at + i < end ? sources.row(s.gradient_rows[at + i])[col] : 0.0F;
#pragma unroll
      for (int i = 0; i < kLoads; ++i) {
        const int64_t pair = at + i;
        if (pair >= end) break;
        sum += loaded[i];
        const bool is_last = s.is_last(pair);
        if (!is_last && pair + 1 < end) continue;
        if (is_head) {
          heads[chunk * s.width + col] = sum;
        } else if (is_last) {
          s.add(s.rows[pair], col, sum);
        } else {
          tails[chunk * s.width + col] = sum;
        }
        sum = 0.0F;
        is_head = false;
      }
    }
  }
}

/// One block a chunk whose last run began there and goes on: adds up its parts, every warp's in
/// order, then the warps'.
__global__ void join_chunks_kernel(Sums s, const float* heads, const float* tails) {
  __shared__ float parts[kJoinWarps][kLanes];
  const int64_t chunk = blockIdx.x;
  const int64_t last = (chunk + 1) * kChunk - 1;
  if (last >= s.size || s.is_last(last)) return;
  const int32_t row = s.rows[last];
  if (chunk > 0 && s.rows[chunk * kChunk - 1] == row) return;  // began before
  if (row >= s.num_table_rows) return;
  int64_t low = last;  // of this row
  int64_t high = s.size;
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (s.rows[middle] == row ? low : high) = middle;
  }
  const int64_t count = low / kChunk - chunk;  // parts in the chunks behind
  const int64_t begin = chunk + 1 + count * threadIdx.y / kJoinWarps;
  const int64_t end = chunk + 1 + count * (threadIdx.y + 1) / kJoinWarps;
  for (int64_t first = 0; first < s.width; first += kLanes) {
    const int64_t col = first + threadIdx.x;
    float sum = 0.0F;
    if (col < s.width) {
#pragma unroll 8
      for (int64_t c = begin; c < end; ++c) sum += heads[c * s.width + col];
    }
    parts[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y == 0 && col < s.width) {
      float whole = tails[chunk * s.width + col];
      for (int w = 0; w < kJoinWarps; ++w) whole += parts[w][threadIdx.x];
      s.add(row, col, whole);
    }
    __syncthreads();
  }
}

const CudaRowGroups& cuda(const RowGroups& groups) {
  return static_cast<const CudaRowGroups&>(groups);
}

void add_sums(CudaStream& stream, const CudaRowGroups& groups,
              const std::vector<GradientRows>& rows, Sums s) {
  if (rows.size() > kMostSources) {
    fail(Status::kUnsupported, "[cuda] at most ", kMostSources, " features may share a table; got ",
         rows.size());
  }
  if (groups.size() == 0) return;
  Sources sources{};
  sources.count = static_cast<int32_t>(rows.size());
  std::copy(rows.begin(), rows.end(), sources.rows);
  std::copy(groups.first_rows().begin(), groups.first_rows().end(), sources.first);
  s.rows = groups.rows();
  s.gradient_rows = groups.gradient_rows();
  s.size = groups.size();
  s.num_table_rows = groups.num_table_rows();
  const WorkspaceScope scope(stream.workspace());
  const unsigned chunks = blocks_for(s.size, kChunk);
  auto* heads = stream.workspace().allocate<float>(chunks * s.width);
  auto* tails = stream.workspace().allocate<float>(chunks * s.width);
  sum_chunks_kernel<<<blocks_for(chunks, kChunksPerBlock), dim3(kLanes, kChunksPerBlock), 0,
                      stream.get()>>>(s, sources, heads, tails);
  join_chunks_kernel<<<chunks, dim3(kLanes, kJoinWarps), 0, stream.get()>>>(s, heads, tails);
  check_cuda(cudaGetLastError(), "sum gradients of table rows");
}

class CudaTableGradient final : public TableGradient {
 public:
  CudaTableGradient(Memory& memory, int64_t width)
      : width_(width), counts_(memory), slots_(memory), rows_(memory), sums_(memory) {
    counts_.reserve(2);
  }

  void clear(Stream& s) override {
    auto& stream = static_cast<CudaStream&>(s);
    int32_t* slots = slots_.data();
    const int32_t* rows = rows_.data();
    const int32_t* count = counts_.data();
    for_elements(stream.get(), "forget rows", rows_.capacity(), [=] __device__(int64_t i) {
      if (i < *count) slots[rows[i]] = 0;
    });
    check_cuda(cudaMemsetAsync(counts_.data(), 0, 2 * sizeof(int32_t), stream.get()),
               "forget rows");
  }

  void reserve(Stream& s, const RowGroups& groups, bool is_first) override {
    const CudaRowGroups& own = cuda(groups);
    most_rows_ = std::min((is_first ? 0 : most_rows_) + own.size(), own.num_table_rows());
    if (slots_.moves(own.num_table_rows()) || rows_.moves(most_rows_)) s.synchronize();
    slots_.reserve(own.num_table_rows());
    rows_.reserve(most_rows_);
    sums_.reserve(most_rows_ * width_);
  }

  void add(Stream& s, const RowGroups& groups, const std::vector<GradientRows>& rows) override {
    auto& stream = static_cast<CudaStream&>(s);
    const CudaRowGroups& own = cuda(groups);
    const int32_t* sorted = own.rows();
    const auto num_table_rows = static_cast<int32_t>(own.num_table_rows());
    int32_t* slots = slots_.data();
    int32_t* row_of_slot = rows_.data();
    number_in_order(
        stream, "find new rows", own.size(),
        [=] __device__(int64_t i) {
          const int32_t row = sorted[i];
          return row < num_table_rows && (i == 0 || sorted[i - 1] != row) && slots[row] == 0;
        },
        [=] __device__(int64_t i, int32_t slot) {
          row_of_slot[slot] = sorted[i];
          slots[sorted[i]] = slot + 1;
        },
        counts_.data(), counts_.data() + 1);
    Sums sums{};
    sums.width = width_;
    sums.target = sums_.data();
    sums.slot_after_of_row = slots;
    sums.first_new = counts_.data() + 1;
    add_sums(stream, own, rows, sums);
  }

  void add_squares(Stream& s, double* sum) override {
    add_squares_cuda(static_cast<CudaStream&>(s), sums_.data(), most_rows_ * width_, sum,
                     counts_.data(), width_);
  }

  void update(Stream& s, RowWiseAdagradStep p) override {
    p.rows = rows_.data();
    p.gradients = sums_.data();
    p.num_rows = most_rows_;
    p.width = width_;
    row_wise_adagrad_step_cuda(static_cast<CudaStream&>(s), p, counts_.data());
  }

  Rows fetch(Stream& s) override {
    auto& stream = static_cast<CudaStream&>(s);
    int32_t count = 0;
    stream.read(&count, counts_.data(), sizeof(count));
    const auto size = static_cast<size_t>(count);
    host_rows_.resize(size);
    host_sums_.resize(size * static_cast<size_t>(width_));
    stream.read(host_rows_.data(), rows_.data(), size * sizeof(int32_t));
    stream.read(host_sums_.data(), sums_.data(), host_sums_.size() * sizeof(float));
    return {&host_rows_, ConstMatrixView(host_sums_.data(), count, width_)};
  }

  int64_t bytes() const override {
    return counts_.bytes() + slots_.bytes() + rows_.bytes() + sums_.bytes();
  }

 private:
  int64_t width_;
  int64_t most_rows_ = 0;           // bound of the distinct rows since clear
  GrowingArray<int32_t> counts_;    // distinct rows; those of the batches before the last one
  GrowingArray<int32_t> slots_;     // [table rows] slot + 1; 0 without a sum
  GrowingArray<int32_t> rows_;      // [slots]
  GrowingArray<float> sums_;        // [slots, width]
  std::vector<int32_t> host_rows_;  // by fetch
  std::vector<float> host_sums_;
};

}  // namespace

std::unique_ptr<TableGradient> make_table_gradient_cuda(Memory& memory, int64_t width) {
  return std::make_unique<CudaTableGradient>(memory, width);
}

void add_to_rows_cuda(CudaStream& stream, const RowGroups& groups,
                      const std::vector<GradientRows>& rows, int64_t width, float* table) {
  Sums sums{};
  sums.width = width;
  sums.target = table;
  add_sums(stream, cuda(groups), rows, sums);
}

}  // namespace longer
