#include "training/nonfinite.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace longer {
namespace {

template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// Index of the first value that is not finite, `count` if all are.
int64_t find_nonfinite(const float* values, int64_t count) {
  return std::find_if(values, values + count, [](float x) { return !std::isfinite(x); }) - values;
}

std::string element(const char* what, const std::string& name, int64_t at, float value) {
  return text(what, name, "[", at, "] is ", value);
}

/// values_of(parameter): its numbers or gradients.
template <class ValuesOf>
std::string in_parameters(const ParameterLayout& layout, const char* what,
                          const ValuesOf& values_of) {
  for (const Parameter& p : layout.parameters()) {
    const float* values = values_of(p);
    const int64_t at = find_nonfinite(values, p.size());
    if (at < p.size()) return element(what, p.name, at, values[at]);
  }
  return "";
}

std::string row_of(const EmbeddingTable& table, int32_t row) {
  if (row == 0) return text("table ", table.name(), ", out-of-vocabulary row");
  return text("table ", table.name(), ", row of id ", table.id_of(row));
}

/// The request of a row, given where each request's rows begin.
int64_t request_of(const std::vector<int32_t>& offsets, int64_t row) {
  return std::upper_bound(offsets.begin(), offsets.end(), row) - offsets.begin() - 1;
}

std::string in_rows(const std::string& what, ConstMatrixView rows,
                    const std::vector<int32_t>& offsets) {
  for (int64_t r = 0; r < rows.rows; ++r) {
    const int64_t at = find_nonfinite(rows.row(r), rows.cols);
    if (at == rows.cols) continue;
    const int64_t request = request_of(offsets, r);
    return text(what, ", request ", request, ", row ", r - offsets[static_cast<size_t>(request)],
                ", column ", at, " is ", rows.row(r)[at]);
  }
  return "";
}

}  // namespace

std::string first_nonfinite_value(const ModelState& state, const PreparedBatch& batch,
                                  const Activations& a, Stream& stream) {
  std::vector<float> copy;
  std::string found = in_parameters(state.layout, "parameter ", [&state](const Parameter& p) {
    return state.dense.data() + p.offset;
  });
  for (size_t t = 0; t < state.tables.size() && found.empty(); ++t) {
    if (state.tables[t] == nullptr) continue;
    const EmbeddingTable& table = *state.tables[t];
    const int64_t count = table.num_rows() * table.width();
    const int64_t at = find_nonfinite(table.values(), count);
    if (at == count) continue;
    found = text(row_of(table, static_cast<int32_t>(at / table.width())), ", column ",
                 at % table.width(), " is ", table.values()[at]);
  }
  const auto before = [](const char* rows, size_t layer) {
    return text(rows, " rows before layer ", layer);
  };
  for (size_t l = 0; l < a.merged_rows.size() && found.empty(); ++l) {
    found = in_rows(before("merged", l), stream.fetch(a.merged_rows[l], copy),
                    l == 0 ? batch.group_offsets : batch.query_offsets);
  }
  for (size_t l = 0; l < a.side_rows.size() && found.empty(); ++l) {
    const bool is_last = l + 1 == a.side_rows.size();
    found = in_rows(
        is_last ? "global and candidate rows before the head" : before("global and candidate", l),
        stream.fetch(a.side_rows[l], copy), batch.side_offsets);
  }
  if (!found.empty()) return found;
  const ConstMatrixView logits = stream.fetch(a.head.logits, copy);
  for (int64_t c = 0; c < logits.rows; ++c) {
    const int64_t at = find_nonfinite(logits.row(c), logits.cols);
    if (at < logits.cols) {
      return text("head, logit of candidate ", c, ", task ",
                  state.config.tasks[static_cast<size_t>(at)].name, " is ", logits.row(c)[at]);
    }
  }
  return "";
}

std::string first_nonfinite_gradient(const Trainer& trainer) {
  const ModelState& state = trainer.state();
  const std::string dense = in_parameters(
      state.layout, "gradient of ", [&](const Parameter& p) { return trainer.gradient(p.name); });
  if (!dense.empty()) return dense;
  for (size_t t = 0; t < state.tables.size(); ++t) {
    if (state.tables[t] == nullptr) continue;
    const TableGradient::Rows gradient = trainer.table_gradient(static_cast<int64_t>(t));
    const ConstMatrixView& sums = gradient.sums;
    const int64_t count = sums.rows * sums.cols;
    const int64_t at = find_nonfinite(sums.data, count);
    if (at == count) continue;
    const int32_t row = (*gradient.rows)[static_cast<size_t>(at / sums.cols)];
    return text("gradient of ", row_of(*state.tables[t], row), ", column ", at % sums.cols, " is ",
                sums.data[at]);
  }
  return "";
}

}  // namespace longer
