// The reference's hand-written backward against central differences of its forward.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "reference/longer_reference.hpp"
#include "support/cases.hpp"
#include "support/random_weights.hpp"

namespace longer::testing {
namespace {

using model_reference::Vector;
using model_reference::Weights;

// Norms of rows with two nearly equal elements are steps of width 1e-3: there the first step is too
// long, truncation being of order step⁴ times a fifth derivative. A wrong gradient agrees with
// none.
constexpr double kSteps[] = {2e-4, 2e-5, 2e-6};

/// Derivative of the loss along `direction` in `values` (part of `w`), by the 4-point formula:
/// error O(step⁴).
double central_difference(const Config& c, const Weights& w, const BatchView& batch, Vector& values,
                          const Vector& direction, double step,
                          const reference::DropoutMasks& masks) {
  const Vector before = values;
  const auto loss_at = [&](double distance) {
    for (size_t i = 0; i < values.size(); ++i) values[i] = before[i] + distance * direction[i];
    const double loss = model_reference::forward(c, w, batch, masks).loss;
    values = before;
    return loss;
  };
  return (8.0 * (loss_at(step) - loss_at(-step)) - (loss_at(2.0 * step) - loss_at(-2.0 * step))) /
         (12.0 * step);
}

class ReferenceGradients : public ::testing::TestWithParam<ModelCase> {
 protected:
  /// Compares the gradient along one random direction and along one coordinate.
  void check(const std::string& name, Weights& w, const BatchView& batch, Vector& values,
             const Vector& gradient) {
    ASSERT_EQ(values.size(), gradient.size()) << name;
    Vector direction(values.size());
    for (double& d : direction) {
      d = std::normal_distribution<double>()(random_) /
          std::sqrt(static_cast<double>(values.size()));
    }
    check_direction(name + " (random direction)", w, batch, values, gradient, direction);
    const size_t at = std::uniform_int_distribution<size_t>(0, values.size() - 1)(random_);
    Vector axis(values.size(), 0.0);
    axis[at] = 1.0;
    check_direction(name + "[" + std::to_string(at) + "]", w, batch, values, gradient, axis);
  }

  void check_direction(const std::string& what, Weights& w, const BatchView& batch, Vector& values,
                       const Vector& gradient, const Vector& direction) {
    double expected = 0.0;
    for (size_t i = 0; i < gradient.size(); ++i) expected += gradient[i] * direction[i];
    // Rounding of the loss, 1e-15 / step, stays below the allowance for every step.
    const double allowed = 1e-8 + 1e-6 * std::abs(expected);
    double got = 0.0;
    for (double step : kSteps) {
      got = central_difference(GetParam().config, w, batch, values, direction, step, masks_);
      if (std::abs(got - expected) <= allowed) break;
    }
    EXPECT_NEAR(got, expected, allowed) << what;
    num_checked_ += 1;
  }

  std::mt19937_64 random_{7};
  void check_all(const reference::DropoutMasks& masks);

  reference::DropoutMasks masks_;
  int num_checked_ = 0;
};

void ReferenceGradients::check_all(const reference::DropoutMasks& masks) {
  masks_ = masks;
  const Config& c = GetParam().config;
  SCOPED_TRACE("LONGER_TEST_SEED=" + std::to_string(test_seed()));
  BatchMaker maker(c, test_seed());
  const int64_t k = c.merge_factor;
  const OwnedBatch owned = maker.make({{0, 2},
                                       {1, 1},
                                       {k + 1, 3},
                                       {0, 0},
                                       {k * (c.queries + 1) + 1, 4},
                                       {k, 0},
                                       {c.max_history + 2, 2}});
  const BatchView batch = owned.view();
  Weights w = random_weights(c, 11);
  const model_reference::Outcome outcome = model_reference::forward(c, w, batch, masks);
  ASSERT_GT(outcome.weight, 0.0);
  const Weights gradients = model_reference::backward(c, w, batch, outcome);

  for (auto& [name, values] : w.dense) check(name, w, batch, values, gradients.at(name));
  for (auto& [name, table] : w.tables) {
    const model_reference::Table& d_table = gradients.tables.at(name);
    check(name + " out of vocabulary", w, batch, table.out_of_vocabulary,
          d_table.out_of_vocabulary);
    for (auto& [id, row] : table.rows) {
      const auto found = d_table.rows.find(id);
      const Vector untouched(row.size(), 0.0);
      check(name + " id " + std::to_string(id), w, batch, row,
            found == d_table.rows.end() ? untouched : found->second);
    }
  }
  EXPECT_GT(num_checked_, 40);
}

TEST_P(ReferenceGradients, EqualCentralDifferences) { check_all({}); }

TEST_P(ReferenceGradients, EqualCentralDifferencesUnderDropout) { check_all({0.3, 5, 2}); }

INSTANTIATE_TEST_SUITE_P(Cases, ReferenceGradients, ::testing::ValuesIn(tiny_model_cases()),
                         model_case_name);

}  // namespace
}  // namespace longer::testing
