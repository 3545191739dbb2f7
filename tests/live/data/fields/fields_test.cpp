// One loaded update adds fields and methods, and another one finds them, in a program built as a user builds it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "loaded_update.hpp"
#include "update.hpp"

namespace {

using moult::UpdateReport;
using moult::UpdateState;
using testing::HasSubstr;

const LoadedUpdate& first() {
  static const LoadedUpdate& loaded = load_update<LoadedUpdate>(UPDATE);
  return loaded;
}
const LoadedUpdate& second() {
  static const LoadedUpdate& loaded = load_update<LoadedUpdate>(SECOND_UPDATE);
  return loaded;
}

class Fields : public testing::Test {
 protected:
  void SetUp() override {
    moult::set_log_level(moult::LogLevel::none);
    report_ = manager_.add_update(first().add(alive)).wait(std::chrono::seconds(100));
    ASSERT_EQ(report_.state, UpdateState::applied) << report_.reason;
  }

  moult::ThreadedManager manager_{"fields"};
  static inline std::atomic<int> alive{0};
  UpdateReport report_;
};

TEST_F(Fields, TwoUpdatesAndTheReplacedMethodSeeTheSameValue) {
  auto document = std::make_unique<Document>(1);
  EXPECT_EQ(document->title(), "1 by nobody");
  std::atomic<bool> is_inside{false};
  second().stay_inside(*document, is_inside, true);
  EXPECT_EQ(document->title(), "1 by somebody");
  EXPECT_EQ(first().author_of(*document), "somebody");
  EXPECT_EQ(second().describe(*document), "a document, 1 by somebody");
  EXPECT_EQ(alive, 1);
  moult::roll_back(report_.id);
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(document->title(), "document 1");
  EXPECT_THROW(second().author_of(*document), moult::Error);
  EXPECT_THROW(second().describe(*document), moult::Error);
}

TEST_F(Fields, ARollbackIsRefusedWhileAnotherUpdatesCodeHoldsAValue) {
  auto document = std::make_unique<Document>(1);
  std::atomic<bool> is_inside{false};
  std::atomic<bool> goes_on{false};
  std::thread holder([&] { second().stay_inside(*document, is_inside, goes_on); });
  while (!is_inside) std::this_thread::yield();
  try {
    moult::roll_back(report_.id, std::chrono::milliseconds(500));
    ADD_FAILURE() << "it was let pass";
  } catch (const moult::Error& error) {
    EXPECT_EQ(error.code(), moult::ErrorCode::still_active) << error.what();
    EXPECT_THAT(error.what(), HasSubstr("code of an update that uses the field author of Document is active in"));
  }
  EXPECT_EQ(document->title(), "1 by nobody");
  goes_on = true;
  holder.join();
  EXPECT_EQ(document->title(), "1 by somebody");
  moult::roll_back(report_.id);
  EXPECT_EQ(document->title(), "document 1");
}

TEST_F(Fields, ThreadsMakeUseAndDeleteObjectsWhileTheUpdateComesAndGoes) {
  std::atomic<int> wrong{0};
  std::atomic<long> steps{0};
  std::vector<std::jthread> threads;
  for (unsigned number = 0; number < 3; ++number)
    threads.emplace_back([&, number](const std::stop_token& token) {
      std::minstd_rand random(number);
      std::array<std::unique_ptr<Document>, 100> shelf;
      while (!token.stop_requested()) {
        std::unique_ptr<Document>& place = shelf[random() % shelf.size()];
        if (place == nullptr) place = std::make_unique<Document>(static_cast<int>(random() % 1000));
        const std::string title = place->title();
        const std::string number_text = std::to_string(place->number());
        if (title != "document " + number_text && title != number_text + " by nobody") ++wrong;
        if (random() % 3 == 0) place = nullptr;
        steps.fetch_add(1, std::memory_order_relaxed);
        for (int idle = 0; idle < 2000; ++idle) {
          asm volatile("");
        }
      }
    });
  for (int round = 0; round < 20 && wrong == 0; ++round) {
    moult::roll_back(report_.id);
    long before = steps;
    while (steps < before + 50) std::this_thread::yield();
    auto update = first().add(alive);
    update->set_patience({.max_tries = 1000, .stop_timeout = std::chrono::seconds(20), .max_postponements = {}});
    report_ = manager_.add_update(std::move(update)).wait(std::chrono::seconds(100));
    ASSERT_EQ(report_.state, UpdateState::applied) << report_.reason;
    before = steps;
    while (steps < before + 50) std::this_thread::yield();
  }
  threads.clear();
  moult::roll_back(report_.id);
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(alive, 0) << "values outlived their objects and their field";
}

}  // namespace
