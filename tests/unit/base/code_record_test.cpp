#include "base/code_record.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/transaction.hpp"

namespace moult::internal {
namespace {

char code[8];

bool is_on_record(const void* address, CodeUse use = CodeUse::called_later) {
  const std::vector<const void*> all = recorded_code(use);
  return std::find(all.begin(), all.end(), address) != all.end();
}

TEST(CodeRecord, LastsAsLongAsTheLastCopy) {
  std::optional<CodeRecord> record(CodeRecord(CodeUse::called_later, {&code[0], &code[1]}));
  std::optional<CodeRecord> copy(record);
  record.reset();
  EXPECT_TRUE(is_on_record(&code[0]));
  EXPECT_TRUE(is_on_record(&code[1]));
  copy.reset();
  EXPECT_FALSE(is_on_record(&code[0]));
  EXPECT_FALSE(is_on_record(&code[1]));
}

TEST(CodeRecord, IsListedByItsUse) {
  CodeRecord record(CodeUse::waiting_update, {&code[0]});
  EXPECT_FALSE(is_on_record(&code[0]));
  EXPECT_TRUE(is_on_record(&code[0], CodeUse::waiting_update));
  record.set_use(CodeUse::ended_update);
  EXPECT_FALSE(is_on_record(&code[0], CodeUse::waiting_update));
  EXPECT_TRUE(is_on_record(&code[0], CodeUse::ended_update));
}

TEST(CodeRecord, StaysInTheListWhenItIsKept) {
  { CodeRecord(CodeUse::called_later, {&code[2]}).keep(); }
  EXPECT_TRUE(is_on_record(&code[2]));
}

TEST(CodeRecord, OneMovedFromNotesNothing) {
  CodeRecord record(CodeUse::called_later, {&code[3]});
  const CodeRecord other(std::move(record));
  record = {};
  EXPECT_TRUE(is_on_record(&code[3]));
}

/// Says whether its code is on record while it is destroyed.
struct Callable {
  explicit Callable(bool& answer) : is_recorded(&answer) {}
  Callable(Callable&& other) noexcept : is_recorded(std::exchange(other.is_recorded, nullptr)) {}
  ~Callable() {
    if (is_recorded != nullptr) *is_recorded = is_on_record(&code[4]);
  }
  bool* is_recorded;
};

TEST(CodeRecord, OutlivesTheCallableThatItIsHandedOverWith) {
  bool is_recorded = false;
  { const HandedOver<Callable> handed{CodeRecord(CodeUse::called_later, {&code[4]}), Callable(is_recorded)}; }
  EXPECT_TRUE(is_recorded);
  EXPECT_FALSE(is_on_record(&code[4]));
}

class FakeStop final : public Suspension {
 public:
  std::chrono::steady_clock::time_point began() const noexcept override { return {}; }
  std::vector<std::string> thread_names() const override { return {}; }
  std::size_t thread_count() const noexcept override { return 0; }
};

TEST(CodeRecord, AStopThatEndsKeepsIt) {
  Transaction transaction;
  const Transaction::Scope scope(transaction);
  transaction.hold(std::make_unique<FakeStop>());
  {
    const CodeRecord record(CodeUse::called_later, {&code[5]});
    keep_after_stop(record);
  }
  transaction.resume();
  EXPECT_TRUE(is_on_record(&code[5]));
}

TEST(CodeRecord, AChangeThatIsUndoneInItsStopDropsIt) {
  Transaction transaction;
  const Transaction::Scope scope(transaction);
  transaction.hold(std::make_unique<FakeStop>());
  {
    const CodeRecord record(CodeUse::called_later, {&code[6]});
    keep_after_stop(record);
    EXPECT_TRUE(is_on_record(&code[6]));
  }
  transaction.undo_all();
  EXPECT_FALSE(is_on_record(&code[6]));
  transaction.resume();
  EXPECT_FALSE(is_on_record(&code[6]));
}

TEST(CodeRecord, OutsideOfAStopItIsKeptAtOnce) {
  { keep_after_stop(CodeRecord(CodeUse::called_later, {&code[7]})); }
  EXPECT_TRUE(is_on_record(&code[7]));
}

}  // namespace
}  // namespace moult::internal
