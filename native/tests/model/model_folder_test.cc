#include "model/model_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "core/folder_manifest.hpp"
#include "core/safetensors.hpp"
#include "support/cases.hpp"
#include "support/random_model.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_error.hpp"
#include "training/trainer.hpp"

namespace longer {
namespace {

using testing::BatchMaker;
using testing::expect_error;
using testing::film_config;
using testing::known_ids;
using testing::model_cases;
using testing::ModelCase;
using testing::OwnedBatch;
using testing::random_state;
using testing::read_bytes;
using testing::TemporaryFolder;
using testing::thrown_by;
using testing::write_bytes;

/// Rows of a growable table by id, the out-of-vocabulary row first.
std::vector<std::vector<float>> rows_of(const EmbeddingTable& table) {
  std::vector<int32_t> order = table.rows_by_id();
  order.insert(order.begin(), 0);
  std::vector<std::vector<float>> rows;
  for (const int32_t row : order) {
    const float* values = table.values() + row * table.width();
    rows.emplace_back(values, values + table.width());
    rows.back().push_back(table.states()[row]);
    if (row != 0) rows.back().push_back(static_cast<float>(table.id_of(row)));
  }
  return rows;
}

void expect_same(const ModelState& a, const ModelState& b) {
  EXPECT_EQ(a.config.to_json(), b.config.to_json());
  ASSERT_EQ(a.dense.size(), b.dense.size());
  for (const Parameter& p : a.layout.parameters()) {
    EXPECT_TRUE(std::equal(a.dense.data() + p.offset, a.dense.data() + p.offset + p.size(),
                           b.dense.data() + p.offset))
        << p.name;
  }
  for (size_t t = 0; t < a.tables.size(); ++t) {
    ASSERT_EQ(a.tables[t] == nullptr, b.tables[t] == nullptr);
    if (a.tables[t] == nullptr) continue;
    EXPECT_EQ(rows_of(*a.tables[t]), rows_of(*b.tables[t])) << a.tables[t]->name();
  }
}

class ModelFolderCase : public ::testing::TestWithParam<ModelCase> {
 protected:
  TemporaryFolder folder_;
};
INSTANTIATE_TEST_SUITE_P(Models, ModelFolderCase, ::testing::ValuesIn(model_cases()),
                         testing::model_case_name);

TEST_P(ModelFolderCase, LoadsWhatWasSaved) {
  const auto state = random_state(GetParam().config, 3);
  save_model(*state, folder_ / "model");
  expect_same(*load_model(folder_ / "model"), *state);
}

TEST_P(ModelFolderCase, HoldsEveryParameterByName) {
  const auto state = random_state(GetParam().config, 3);
  save_model(*state, folder_ / "model");
  const SafetensorsReader dense{MappedFile(folder_ / "model/dense.safetensors")};
  EXPECT_EQ(dense.tensors().size(), state->layout.parameters().size());
  for (const Parameter& p : state->layout.parameters()) {
    const auto* values = dense.values<float>(p.name, p.shape);
    EXPECT_TRUE(std::equal(values, values + p.size(), state->dense.data() + p.offset)) << p.name;
  }
  const SafetensorsReader tables{MappedFile(folder_ / "model/tables.safetensors")};
  std::vector<int64_t> sorted = known_ids();
  std::sort(sorted.begin(), sorted.end());
  const auto count = static_cast<int64_t>(sorted.size());
  for (const TableConfig& table : GetParam().config.tables) {
    if (table.rows > 0) continue;
    const auto* ids = tables.values<int64_t>("table." + table.name + ".ids", {count});
    EXPECT_TRUE(std::equal(ids, ids + count, sorted.begin())) << table.name;
    tables.values<float>("table." + table.name + ".rows", {count + 1, table.width});
  }
}

/// Training that is interrupted by saving and loading goes on with the same bits, new ids included.
TEST_P(ModelFolderCase, ContinuesACheckpointWithTheSameBits) {
  const Config& config = GetParam().config;
  const auto backend = make_cpu_backend({DeviceKind::kCpu, 0, 1});
  TrainerOptions options;
  options.clip_norm = 0.01;
  options.warmup_steps = 4;
  options.seed = 9;
  std::vector<OwnedBatch> batches;
  BatchMaker maker(config, 5);
  for (int i = 0; i < 6; ++i)
    batches.push_back(maker.make({{7, 2}, {config.max_history + 1, 3}, {0, 1}, {4, 2}}));

  auto fresh = fresh_state(config, 3);
  Trainer straight(std::make_unique<ModelState>(*fresh), nullptr, options, backend);
  Trainer first(std::move(fresh), nullptr, options, backend);
  for (int i = 0; i < 3; ++i) {
    straight.step(batches[static_cast<size_t>(i)].view());
    first.step(batches[static_cast<size_t>(i)].view());
  }
  save_checkpoint(first.state(), first.optimizer(), "{\"epoch\": 1}", folder_ / "checkpoint");
  Checkpoint checkpoint = load_checkpoint(folder_ / "checkpoint");
  expect_same(*checkpoint.state, first.state());
  EXPECT_EQ(checkpoint.optimizer->step, 3);
  EXPECT_EQ(checkpoint.progress, "{\"epoch\": 1}");
  Trainer second(std::move(checkpoint.state), std::move(checkpoint.optimizer), options, backend);
  for (size_t i = 3; i < batches.size(); ++i) {
    straight.step(batches[i].view());
    second.step(batches[i].view());
    EXPECT_EQ(second.result().loss, straight.result().loss) << i;
    EXPECT_EQ(second.result().gradient_norm, straight.result().gradient_norm) << i;
  }
  expect_same(second.state(), straight.state());
  const OptimizerState& a = second.optimizer();
  const OptimizerState& b = straight.optimizer();
  EXPECT_EQ(a.step, b.step);
  for (const Parameter& p : second.state().layout.parameters()) {
    for (const auto moment : {&OptimizerState::first_moment, &OptimizerState::second_moment}) {
      const float* begin = (a.*moment).data() + p.offset;
      EXPECT_TRUE(std::equal(begin, begin + p.size(), (b.*moment).data() + p.offset)) << p.name;
    }
  }
  // A checkpoint is a model, too; Adagrad's state stays behind.
  Checkpoint again = load_checkpoint(folder_ / "checkpoint");
  for (const auto& table : again.state->tables) {
    if (table != nullptr) std::fill_n(table->states(), table->num_rows(), 0.0F);
  }
  expect_same(*load_model(folder_ / "checkpoint"), *again.state);
}

/// Counts of ids that have no row yet go with a checkpoint, and with nothing else.
TEST(Admission, GoesOnFromACheckpointAndStartsAnewFromAModel) {
  Config config = film_config();
  config.tables[0].admission = 3;
  config.tables[2].admission = 2;
  const auto backend = make_cpu_backend({DeviceKind::kCpu, 0, 1});
  BatchMaker maker(config, 6);
  std::vector<OwnedBatch> batches;
  for (int i = 0; i < 4; ++i) batches.push_back(maker.make({{2, 1}, {1, 2}}));
  Trainer straight(fresh_state(config, 3), nullptr, {}, backend);
  Trainer first(fresh_state(config, 3), nullptr, {}, backend);
  straight.step(batches[0].view());
  first.step(batches[0].view());
  ASSERT_GT(first.state().tables[0]->num_pending(), 0);
  const TemporaryFolder folder;
  save_checkpoint(first.state(), first.optimizer(), {}, folder / "checkpoint");
  Checkpoint checkpoint = load_checkpoint(folder / "checkpoint");
  EXPECT_EQ(checkpoint.state->tables[0]->num_pending(), first.state().tables[0]->num_pending());
  Trainer second(std::move(checkpoint.state), std::move(checkpoint.optimizer), {}, backend);
  for (size_t i = 1; i < batches.size(); ++i) {
    straight.step(batches[i].view());
    second.step(batches[i].view());
    EXPECT_EQ(second.result().new_table_rows, straight.result().new_table_rows) << i;
  }
  expect_same(second.state(), straight.state());
  EXPECT_GT(straight.state().tables[0]->num_ids(), 0);

  EXPECT_EQ(load_model(folder / "checkpoint")->tables[0]->num_pending(), 0);
  Trainer anew(*first.snapshot(), {}, backend);
  EXPECT_EQ(anew.state().tables[0]->num_pending(), 0);
}

TEST(Admission, CountsThatCannotBeAreCorrupt) {
  Config config = film_config();
  config.tables[0].admission = 3;
  const auto state = fresh_state(config, 3);
  const TemporaryFolder folder;
  for (const int32_t count : {0, 3}) {
    state->tables[0]->set_pending({-5, count});
    save_checkpoint(*state, OptimizerState(state->layout.arena_size()), {}, folder / "checkpoint");
    expect_error(Status::kCorruptData, "table.movie.pending_counts must be in 1 … 2; got",
                 [&] { load_checkpoint(folder / "checkpoint"); });
  }
}

class ModelFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    state_ = random_state(film_config(), 3);
    save_checkpoint(*state_, OptimizerState(state_->layout.arena_size()), kProgress, path_);
  }
  void load() const {
    load_model(path_);
    load_checkpoint(path_);
  }
  /// Replaces a file and its entry in the manifest, so that only the file's content can be wrong.
  void replace(const std::string& name, const std::string& bytes) const {
    FolderManifest manifest = FolderManifest::read(path_);
    std::filesystem::remove(path_ + "/" + name);
    OutputFile file(path_ + "/" + name);
    file.write(bytes);
    file.sync_and_close();
    manifest.files[name] = {file.bytes(), file.checksum()};
    write_bytes(path_ + "/" + kManifestName, manifest.to_json());
  }

  TemporaryFolder folder_;
  static constexpr const char* kProgress = "{\"epoch\": 2, \"batch\": 17}";
  std::string path_ = folder_ / "model";
  std::unique_ptr<ModelState> state_;
};

TEST_F(ModelFolder, WithAFlippedBitOrCutAnywhereIsCorrupt) {
  for (const char* name : {"MANIFEST.json", "config.json", "dense.safetensors",
                           "tables.safetensors", "optimizer.safetensors", "progress.json"}) {
    SCOPED_TRACE(name);
    const std::string file = path_ + "/" + name;
    const std::string bytes = read_bytes(file);
    const size_t step =
        1 + bytes.size() / 60;  // core/atomic_folder_test.cc flips every bit of a small folder
    for (size_t i = 0; i < bytes.size(); i += step) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
      write_bytes(file, changed);
      const auto flipped = thrown_by([&] { load(); });
      ASSERT_TRUE(flipped.status == Status::kCorruptData || flipped.status == Status::kUnsupported)
          << i << ": " << flipped.message;
      ASSERT_NE(flipped.message.find(path_), std::string::npos) << flipped.message;
      write_bytes(file, bytes.substr(0, i));
      const auto cut = thrown_by([&] { load(); });
      ASSERT_EQ(cut.status, Status::kCorruptData) << i << ": " << cut.message;
      ASSERT_NE(cut.message.find(path_), std::string::npos) << cut.message;
    }
    write_bytes(file, bytes);
    load();
  }
}

TEST_F(ModelFolder, WithoutOneOfItsFilesNamesIt) {
  for (const char* name : {"MANIFEST.json", "config.json", "dense.safetensors",
                           "tables.safetensors", "optimizer.safetensors", "progress.json"}) {
    const std::string file = path_ + "/" + name;
    std::filesystem::rename(file, file + ".away");
    expect_error(Status::kIoError, file + ": No such file or directory", [&] { load(); });
    std::filesystem::rename(file + ".away", file);
  }
  expect_error(Status::kIoError, "No such file", [&] { load_model(folder_ / "nowhere"); });
}

TEST_F(ModelFolder, WithAContentThatDoesNotFitItsConfigIsCorrupt) {
  Config wider = film_config();
  wider.max_history += 1;
  replace("config.json", wider.to_json());
  expect_error(Status::kCorruptData,
               "\"event_encoder.position.weight\" must have shape [31, 5]; got [30, 5]",
               [&] { load(); });
  Config other = film_config();
  other.tables[0].name = "series";
  for (auto* features : {&other.event_features, &other.candidate_features})
    (*features)[0].table = "series";
  replace("config.json", other.to_json());
  expect_error(Status::kCorruptData, "\"table.series.ids\" is missing", [&] { load(); });
  replace("config.json", R"({"format_version": 1, "layers": 3})");
  expect_error(Status::kCorruptData, path_ + "/config.json", [&] { load(); });
}

TEST_F(ModelFolder, WithIdsThatDoNotAscendIsCorrupt) {
  const std::string bytes = read_bytes(path_ + "/tables.safetensors");
  const int64_t first = std::numeric_limits<int64_t>::min();  // the smallest known id stands first
  const std::string first_bytes(reinterpret_cast<const char*>(&first), sizeof(first));
  const size_t at = bytes.find(first_bytes);
  ASSERT_NE(at, std::string::npos);
  std::string changed = bytes;
  const int64_t late = 100;
  changed.replace(at, sizeof(late), reinterpret_cast<const char*>(&late), sizeof(late));
  replace("tables.safetensors", changed);
  expect_error(Status::kCorruptData, ".ids must ascend; got -7 after 100", [&] { load(); });
}

TEST_F(ModelFolder, KeepsProgressAsItIs) {
  EXPECT_EQ(load_checkpoint(path_).progress, kProgress);
  const OptimizerState optimizer(state_->layout.arena_size());
  const std::string text("any\0bytes\xff", 10);
  save_checkpoint(*state_, optimizer, text, path_);
  EXPECT_EQ(load_checkpoint(path_).progress, text);
  save_checkpoint(*state_, optimizer, {}, path_);
  EXPECT_EQ(load_checkpoint(path_).progress, "");
  EXPECT_FALSE(std::filesystem::exists(path_ + "/progress.json"));
  const std::string huge((size_t{16} << 20) + 1, 'x');
  expect_error(Status::kInvalidArgument, "progress must have at most 16777216 bytes",
               [&] { save_checkpoint(*state_, optimizer, huge, path_); });
  replace("progress.json", huge);
  expect_error(Status::kCorruptData, path_ + "/progress.json", [&] { load_checkpoint(path_); });
}

TEST_F(ModelFolder, OfAModelIsNoCheckpoint) {
  save_model(*state_, path_);
  expect_error(Status::kInvalidArgument, "without optimizer state",
               [&] { load_checkpoint(path_); });
}

TEST_F(ModelFolder, OfAnotherFormatIsRejected) {
  FolderManifest manifest = FolderManifest::read(path_);
  manifest.format = "longer-data";
  write_bytes(path_ + "/" + kManifestName, manifest.to_json());
  expect_error(Status::kCorruptData, "is a longer-data folder; expected longer-model",
               [&] { load(); });
}

TEST_F(ModelFolder, WithManyRowsIsWrittenInPieces) {
  auto state = fresh_state(film_config(), 3);
  EmbeddingTable& table = *state->tables[0];
  for (int64_t id = 20'000; id > 0; --id) {
    const std::vector<float> row(3, static_cast<float>(id));
    table.insert_or_assign(id, row.data(), 0.0F);
  }
  save_model(*state, path_);
  const auto loaded = load_model(path_);
  expect_same(*loaded, *state);
  EXPECT_EQ(loaded->tables[0]->num_ids(), 20'000);
}

}  // namespace
}  // namespace longer
