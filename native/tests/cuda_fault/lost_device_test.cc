// A kernel that faults, on a real GPU: the process loses the device, so this is a program of its
// own. c_api/lost_device_test.cc has the same with injected faults.
#include <gtest/gtest.h>

#include <string>

#include "longer/error.hpp"
#include "support/c_abi.hpp"
#include "support/temporary_folder.hpp"

namespace longer::testing {

/// Throws what check_cuda makes of a kernel that writes where no memory is.
void run_faulting_kernel();

namespace {

class LostGpu : public CApiTest {};

TEST_F(LostGpu, EveryHandleFailsAtOnceAndCanBeDestroyed) {
  const Config config = film_config();
  const std::string json = config.to_json();
  const longer_device device = {LONGER_DEVICE_CUDA, 0, 0, 0};
  const longer_trainer_options options = brisk_options();
  longer_error error{};
  const ModelHandle model(
      longer_model_create(json.data(), static_cast<int64_t>(json.size()), 1, &device, &error));
  ASSERT_NE(model, nullptr) << error.message;
  const TrainerHandle trainer(longer_trainer_create(model.get(), &options, &device, &error));
  ASSERT_NE(trainer, nullptr) << error.message;
  const OwnedBatch batch = BatchMaker(config, 5, IdChoice::kSettled).make({{13, 3}});
  const longer_batch view = c_batch(batch);
  ASSERT_EQ(longer_trainer_step(trainer.get(), &view, &error), LONGER_OK) << error.message;

  bool is_fatal = false;
  try {
    run_faulting_kernel();
  } catch (const Error& e) {
    is_fatal = e.details().is_fatal;
  }
  ASSERT_TRUE(is_fatal);

  for (int attempt = 0; attempt < 2; ++attempt) {
    EXPECT_EQ(longer_trainer_step(trainer.get(), &view, &error), LONGER_DEVICE_ERROR);
    EXPECT_EQ(error.fatal, 1);
    EXPECT_NE(std::string(error.message).find("is lost for this process"), std::string::npos)
        << error.message;
  }
  EXPECT_EQ(longer_trainer_model(trainer.get(), &error), nullptr);
  EXPECT_EQ(error.fatal, 1);
  // A model's numbers lie on the host too.
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/model";
  EXPECT_EQ(longer_model_save(model.get(), path.c_str(), &error), LONGER_OK) << error.message;
}

}  // namespace
}  // namespace longer::testing
