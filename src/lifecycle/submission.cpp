#include "lifecycle/submission.hpp"

#include <utility>

namespace moult::internal {
namespace {

thread_local Submission* current_of_this_thread = nullptr;

}  // namespace

Submission* Submission::current() noexcept { return current_of_this_thread; }

Submission* Submission::dry_run() noexcept {
  Submission* const submission = current();
  return submission != nullptr && submission->mode() == Mode::check ? submission : nullptr;
}

Submission::Scope::Scope(Submission& submission) noexcept
    : outer_(std::exchange(current_of_this_thread, &submission)), untracked_(submission.untracked_) {}

Submission::Scope::~Scope() { current_of_this_thread = outer_; }

std::vector<UpdateReport> Submission::reports() const {
  std::vector<UpdateReport> all;
  for (const UpdateHandle& handle : handles_) all.push_back(handle.report());
  return all;
}

}  // namespace moult::internal
