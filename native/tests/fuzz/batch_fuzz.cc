// Any batch whose arrays are as long as it says is either rejected as an invalid argument or
// trained on, predicted, ranked or explained with finite results. Arrays lie in exact heap blocks,
// so that the address sanitizer sees a step too far.
#include <fuzzer/FuzzedDataProvider.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "longer/c/longer.h"

namespace {

constexpr char kConfig[] =
    R"({"format_version":1,"tables":[{"name":"item","width":4},{"name":"kind","width":4,"rows":5}],)"
    R"("event_features":[{"name":"item","table":"item"},{"name":"kind","table":"kind"},)"
    R"({"name":"tags","table":"item","values":"many"},{"name":"price","kind":"numeric","mean":3}],)"
    R"("user_features":[{"name":"country","table":"kind"}],)"
    R"("context_features":[{"name":"hour","kind":"numeric","scale":0.5}],)"
    R"("candidate_features":[{"name":"item","table":"item"},)"
    R"({"name":"tags","table":"item","values":"many"}],)"
    R"("tasks":[{"name":"click","weight":1.0},{"name":"buy","weight":0.5}],)"
    R"("max_history":12,"event_width":4,"merge_factor":2,"inner_layers":1,"inner_heads":1,"heads":2,)"
    R"("queries":3,"query_block":1,"self_layers":1,"cls_tokens":1,"time_buckets":8,)"
    R"("time_width":4,"anchor":"NEWEST","time":"REQUEST_RELATIVE","global_visibility":"CACHEABLE",)"
    R"("head":"GLOBALS"})";
enum class Kind { kOne, kMany, kNumeric };
constexpr std::initializer_list<Kind> kEventFeatures = {Kind::kOne, Kind::kOne, Kind::kMany,
                                                        Kind::kNumeric};
constexpr std::initializer_list<Kind> kUserFeatures = {Kind::kOne, Kind::kNumeric};
constexpr std::initializer_list<Kind> kCandidateFeatures = {Kind::kOne, Kind::kMany};
constexpr int64_t kTasks = 2;

void require(bool holds) {
  if (!holds) std::abort();
}

/// OK or INVALID_ARGUMENT with a message, nothing else.
bool accepted(longer_status status, const longer_error& error) {
  if (status == LONGER_OK) return true;
  require(status == LONGER_INVALID_ARGUMENT && error.code == status && error.message[0] == '[');
  return false;
}

void require_probabilities(const std::vector<float>& values) {
  for (const float value : values) require(value >= 0.0F && value <= 1.0F);
}

struct Handles {
  longer_model* model = nullptr;
  longer_trainer* trainer = nullptr;
  longer_ranker* ranker = nullptr;

  Handles() {
    longer_error error{};
    const longer_device device{LONGER_DEVICE_CPU, 0, 1, 0};
    model = longer_model_create(kConfig, static_cast<int64_t>(std::strlen(kConfig)), 1, &device,
                                &error);
    require(model != nullptr);
    longer_trainer_options options{};
    longer_trainer_options_default(&options);
    trainer = longer_trainer_create(model, &options, &device, &error);
    const longer_ranker_options ranker_options{sizeof(longer_ranker_options), 1 << 16, 4, 0};
    ranker = longer_ranker_create(model, &ranker_options, &error);
    require(trainer != nullptr && ranker != nullptr);
  }
};

/// A batch that is valid but for what the input spoils.
class Batch {
 public:
  explicit Batch(FuzzedDataProvider& input) {
    const int64_t requests = input.ConsumeIntegralInRange<int64_t>(1, 3);
    fill_offsets(input, requests, 20, event_offsets_);
    fill_offsets(input, requests, 4, candidate_offsets_);
    const int64_t events = event_offsets_.back();
    const int64_t candidates = candidate_offsets_.back();
    fill_columns(input, kEventFeatures, events, event_columns_);
    fill_columns(input, kUserFeatures, requests, user_columns_);
    fill_columns(input, kCandidateFeatures, candidates, candidate_columns_);
    fill_times(input);
    first_ordinals_.resize(static_cast<size_t>(requests));
    for (int64_t& ordinal : first_ordinals_)
      ordinal = input.ConsumeIntegralInRange<int64_t>(0, 100);
    labels_.resize(static_cast<size_t>(kTasks * candidates));
    for (float& label : labels_) label = static_cast<float>(input.ConsumeIntegralInRange(0, 1));
    weights_.assign(static_cast<size_t>(candidates), 1.0F);

    batch_.struct_bytes = sizeof(longer_batch);
    batch_.num_requests = requests;
    batch_.num_events = events;
    batch_.num_candidates = candidates;
    spoil(input);
    batch_.event_offsets = event_offsets_.data();
    batch_.candidate_offsets = candidate_offsets_.data();
    batch_.event_columns = event_columns_.data();
    batch_.event_times = event_times_.data();
    batch_.first_ordinals = input.ConsumeBool() ? first_ordinals_.data() : nullptr;
    batch_.reference_times = reference_times_.data();
    batch_.user_columns = user_columns_.data();
    batch_.candidate_columns = candidate_columns_.data();
    batch_.labels = labels_.data();
    batch_.weights = input.ConsumeBool() ? weights_.data() : nullptr;
    forget(input);
  }
  longer_batch* get() { return &batch_; }
  int64_t num_scores() const { return kTasks * candidate_offsets_.back(); }

 private:
  static void fill_offsets(FuzzedDataProvider& input, int64_t rows, int64_t longest,
                           std::vector<int64_t>& offsets) {
    offsets.assign(1, 0);
    for (int64_t row = 0; row < rows; ++row) {
      offsets.push_back(offsets.back() + input.ConsumeIntegralInRange<int64_t>(0, longest));
    }
    offsets.shrink_to_fit();
  }
  static int64_t draw_id(FuzzedDataProvider& input) {
    return input.ConsumeIntegralInRange<int64_t>(0, 7) ? input.ConsumeIntegral<int8_t>()
                                                       : input.ConsumeIntegral<int64_t>();
  }
  void fill_columns(FuzzedDataProvider& input, std::initializer_list<Kind> kinds, int64_t rows,
                    std::vector<longer_column>& columns) {
    for (const Kind kind : kinds) {
      longer_column column{};
      if (kind == Kind::kNumeric) {
        std::vector<float>& numbers = numbers_.emplace_back(static_cast<size_t>(rows));
        for (float& number : numbers) number = input.ConsumeFloatingPointInRange(-100.0F, 100.0F);
        spoil_sometimes(input, numbers, INFINITY);
        spoil_sometimes(input, numbers, NAN);
        column.numbers = numbers.data();
      } else {
        fill_ids(input, kind, rows, column);
      }
      columns.push_back(column);
    }
    columns.shrink_to_fit();
  }
  void fill_ids(FuzzedDataProvider& input, Kind kind, int64_t rows, longer_column& column) {
    int64_t count = rows;
    if (kind == Kind::kMany) {
      std::vector<int64_t>& offsets = ids_.emplace_back();
      fill_offsets(input, rows, 3, offsets);
      count = offsets.back();
      // Ids are as many as the last offset says: that one stays.
      if (rows > 0 && input.ConsumeIntegralInRange(0, 15) == 0) {
        offsets[input.ConsumeIntegralInRange<size_t>(0, static_cast<size_t>(rows) - 1)] =
            input.ConsumeIntegral<int64_t>();
      }
      column.offsets = offsets.data();
    } else if (input.ConsumeBool()) {
      std::vector<uint8_t>& valid = bytes_.emplace_back(static_cast<size_t>((rows + 7) / 8));
      for (uint8_t& bits : valid) bits = input.ConsumeIntegral<uint8_t>();
      column.valid = valid.data();
    }
    std::vector<int64_t>& ids = ids_.emplace_back(static_cast<size_t>(count));
    for (int64_t& id : ids) id = draw_id(input);
    column.ids = ids.data();
  }
  static void spoil_sometimes(FuzzedDataProvider& input, std::vector<float>& values, float value) {
    if (input.ConsumeIntegralInRange(0, 15) == 0) spoil_one(input, values, value);
  }
  void fill_times(FuzzedDataProvider& input) {
    for (size_t row = 0; row + 1 < event_offsets_.size(); ++row) {
      int64_t time = input.ConsumeIntegralInRange<int64_t>(-1000, 2000000000);
      for (int64_t event = event_offsets_[row]; event < event_offsets_[row + 1]; ++event) {
        time += input.ConsumeIntegral<uint16_t>();
        event_times_.push_back(time);
      }
      reference_times_.push_back(time + input.ConsumeIntegral<uint16_t>());
    }
    event_times_.shrink_to_fit();
    reference_times_.shrink_to_fit();
  }
  template <class T>
  static void spoil_one(FuzzedDataProvider& input, std::vector<T>& values, T value) {
    if (values.empty()) return;
    values[input.ConsumeIntegralInRange<size_t>(0, values.size() - 1)] = value;
  }
  void spoil(FuzzedDataProvider& input) {
    const int64_t number = input.ConsumeIntegral<int64_t>();
    // Scores are sized by the true number of candidates: that offset stays.
    switch (input.ConsumeIntegralInRange(0, 12)) {
      case 0:
        spoil_one(input, event_offsets_, number);
        break;
      case 1:
        event_offsets_.front() = number;
        break;
      case 2:
        candidate_offsets_.front() = number;
        break;
      case 3:
        spoil_one(input, event_times_, number);
        break;
      case 4:
        spoil_one(input, reference_times_, number);
        break;
      case 5:
        spoil_one(input, first_ordinals_, number);
        break;
      case 6:
        spoil_one(input, labels_, input.ConsumeFloatingPoint<float>());
        break;
      case 7:
        spoil_one(input, labels_, std::nanf(""));
        break;
      case 8:
        spoil_one(input, weights_, input.ConsumeFloatingPoint<float>());
        break;
      case 9:
        batch_.num_events = number;
        break;
      case 10:
        batch_.num_candidates = number;
        break;
      case 11:
        batch_.num_requests = -batch_.num_requests;
        break;
      default:
        break;
    }
  }
  static void forget_a_field(FuzzedDataProvider& input, std::vector<longer_column>& columns) {
    longer_column& column = columns[input.ConsumeIntegralInRange<size_t>(0, columns.size() - 1)];
    switch (input.ConsumeIntegralInRange(0, 2)) {
      case 0:
        column.ids = nullptr;
        break;
      case 1:
        column.numbers = nullptr;
        break;
      default:
        column.offsets = nullptr;
        break;
    }
  }
  void forget(FuzzedDataProvider& input) {
    switch (input.ConsumeIntegralInRange(0, 15)) {
      case 0:
        batch_.event_offsets = nullptr;
        break;
      case 1:
        batch_.candidate_offsets = nullptr;
        break;
      case 2:
        batch_.event_columns = nullptr;
        break;
      case 3:
        batch_.event_times = nullptr;
        break;
      case 4:
        batch_.reference_times = nullptr;
        break;
      case 5:
        batch_.user_columns = nullptr;
        break;
      case 6:
        batch_.candidate_columns = nullptr;
        break;
      case 7:
        batch_.labels = nullptr;
        break;
      case 8:
        batch_.struct_bytes = input.ConsumeIntegral<int64_t>();
        break;
      case 9:
        forget_a_field(input, event_columns_);
        break;
      case 10:
        forget_a_field(input, candidate_columns_);
        break;
      default:
        break;
    }
  }

  std::vector<int64_t> event_offsets_, candidate_offsets_, event_times_, first_ordinals_,
      reference_times_;
  std::deque<std::vector<int64_t>> ids_;  // and offsets of values
  std::deque<std::vector<float>> numbers_;
  std::deque<std::vector<uint8_t>> bytes_;
  std::vector<longer_column> event_columns_, user_columns_, candidate_columns_;
  std::vector<float> labels_, weights_;
  longer_batch batch_{};
};

void predict(longer_trainer* trainer, Batch& batch) {
  longer_error error{};
  std::vector<float> scores(static_cast<size_t>(batch.num_scores()));
  if (accepted(
          longer_trainer_predict(trainer, batch.get(), scores.data(), batch.num_scores(), &error),
          error)) {
    require_probabilities(scores);
  }
}

void train(longer_trainer* trainer, Batch& batch) {
  longer_error error{};
  if (!accepted(longer_trainer_step(trainer, batch.get(), &error), error)) return;
  longer_step_result result{};
  result.struct_bytes = sizeof(result);
  require(accepted(longer_trainer_result(trainer, &result, &error), error));
  require(result.skipped != 0 || std::isfinite(result.loss));
}

longer_ranking_request request_of(Batch& batch, FuzzedDataProvider& input) {
  longer_ranking_request request{};
  request.struct_bytes = sizeof(request);
  request.cache_mode = input.ConsumeIntegralInRange<int64_t>(LONGER_CACHE_NONE, LONGER_CACHE_USE);
  request.user_key = input.ConsumeIntegralInRange<int64_t>(0, 2);
  request.batch = batch.get();
  batch.get()->labels = nullptr;
  batch.get()->weights = nullptr;
  return request;
}

void rank(longer_ranker* ranker, Batch& batch, FuzzedDataProvider& input) {
  longer_error error{};
  const longer_ranking_request request = request_of(batch, input);
  std::vector<float> scores(static_cast<size_t>(batch.num_scores()));
  if (accepted(longer_ranker_rank(ranker, &request, scores.data(), batch.num_scores(), &error),
               error)) {
    require_probabilities(scores);
  }
}

void explain(longer_ranker* ranker, Batch& batch, FuzzedDataProvider& input) {
  longer_error error{};
  const longer_ranking_request request = request_of(batch, input);
  const int64_t events = batch.get()->num_events;
  if (events < 0 || events > 1000) return;
  std::vector<float> attribution(static_cast<size_t>(events));
  if (accepted(longer_ranker_explain(ranker, &request, input.ConsumeIntegralInRange<int64_t>(-1, 4),
                                     input.ConsumeIntegralInRange<int64_t>(-1, 2),
                                     attribution.data(), events, &error),
               error)) {
    require_probabilities(attribution);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Handles handles;
  FuzzedDataProvider input(data, size);
  const int use = input.ConsumeIntegralInRange(0, 3);
  Batch batch(input);
  switch (use) {
    case 0:
      predict(handles.trainer, batch);
      break;
    case 1:
      train(handles.trainer, batch);
      break;
    case 2:
      rank(handles.ranker, batch, input);
      break;
    default:
      explain(handles.ranker, batch, input);
      break;
  }
  return 0;
}
