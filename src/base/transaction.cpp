#include "base/transaction.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace moult::internal {
namespace {

/// Joins equal neighbours into one line that gives their number.
std::vector<std::string> without_repetitions(const std::vector<std::string>& lines) {
  std::vector<std::string> shorter;
  for (auto begin = lines.begin(); begin != lines.end();) {
    auto end = std::find_if(begin, lines.end(), [&](const std::string& line) { return line != *begin; });
    shorter.push_back(end - begin == 1 ? *begin : *begin + ", " + std::to_string(end - begin) + " times");
    begin = end;
  }
  return shorter;
}

}  // namespace

Transaction::~Transaction() { end_attempt(); }

Transaction::Scope::Scope(Transaction& transaction) noexcept : transaction_(transaction), current_(transaction) {
  ++transaction_.scopes_;
}

Transaction::Scope::~Scope() { --transaction_.scopes_; }

void Transaction::add(UndoStep step) { steps_.push_back(std::move(step)); }

std::vector<std::string> Transaction::changes() const {
  std::vector<std::string> lines;
  for (const UndoStep& step : steps_) lines.insert(lines.end(), step.what.begin(), step.what.end());
  return without_repetitions(lines);
}

void Transaction::set_reason(std::string reason) {
  reason_ = std::move(reason);
  if (hear_reason_) hear_reason_(reason_);
}

bool Transaction::add_warning(const std::string& text) {
  if (std::find(warnings_.begin(), warnings_.end(), text) != warnings_.end()) return false;
  warnings_.push_back(text);
  return true;
}

void Transaction::hold(std::unique_ptr<Suspension> suspension) noexcept {
  MOULT_CHECK(suspension_ == nullptr, "the program is stopped already");
  suspension_ = std::move(suspension);
}

void Transaction::resume() noexcept {
  if (suspension_ == nullptr) return;
  for (std::size_t next = 0; next < before_resume_.size(); ++next) std::exchange(before_resume_[next], nullptr)();
  before_resume_.clear();
  std::chrono::steady_clock::time_point began = suspension_->began();
  std::size_t threads = suspension_->thread_count();
  suspension_->release();
  record_pause(std::chrono::steady_clock::now() - began, threads);
  suspension_.reset();
  std::vector<std::function<void()>> acts = std::exchange(after_resume_, {});
  for (const std::function<void()>& act : acts) act();
}

void Transaction::before_resume(std::function<void()> act) {
  MOULT_CHECK(suspension_ != nullptr, "there is no stop to act at the end of");
  before_resume_.push_back(std::move(act));
}

void Transaction::after_resume(std::function<void()> act) {
  if (suspension_ == nullptr) return act();
  after_resume_.push_back(std::move(act));
}

void Transaction::on_attempt_end(std::function<void()> act) { on_attempt_end_.push_back(std::move(act)); }

void Transaction::end_attempt() noexcept {
  pause_runner_ = nullptr;
  std::vector<std::function<void()>> acts = std::exchange(on_attempt_end_, {});
  for (const std::function<void()>& act : acts) act();
}

bool Transaction::rest(std::chrono::steady_clock::time_point deadline, const Sleep& sleep) {
  MOULT_CHECK(suspension_ == nullptr, "a wait sleeps while the program is stopped");
  if (rests_) return rests_(deadline, sleep);
  while (!sleep(deadline) && std::chrono::steady_clock::now() < deadline) {
  }
  return true;
}

void Transaction::run_pause(const std::function<void()>& steps) {
  const PauseRunner runner = std::exchange(pause_runner_, nullptr);
  runner&& suspension_ == nullptr ? runner(steps) : steps();
}

void Transaction::record_pause(std::chrono::nanoseconds length, std::size_t threads) noexcept {
  last_pause_ = length;
  last_thread_count_ = threads;
  all_pauses_ += length;
}

void Transaction::prepare_undo() const {
  for (const UndoStep& step : steps_)
    if (step.prepare) step.prepare();
}

void Transaction::check_undo() const {
  for (const UndoStep& step : steps_)
    if (step.check) step.check();
}

void Transaction::undo_all() noexcept {
  before_resume_.clear();
  while (!steps_.empty()) {
    if (steps_.back().undo) steps_.back().undo();
    steps_.pop_back();
  }
}

}  // namespace moult::internal
