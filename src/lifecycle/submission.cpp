#include "lifecycle/submission.hpp"

namespace moult::internal {

Submission* Submission::dry_run() noexcept {
  Submission* const submission = current();
  return submission != nullptr && submission->mode() == Mode::check ? submission : nullptr;
}

std::vector<UpdateReport> Submission::reports() const {
  std::vector<UpdateReport> all;
  for (const UpdateHandle& handle : handles_) all.push_back(handle.report());
  return all;
}

}  // namespace moult::internal
