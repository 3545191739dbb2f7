#include "threads/stop_blocker.hpp"

#include "platform/tasks.hpp"
#include "platform/x86_64/context.hpp"
#include "symbols/program.hpp"
#include "unwind/unwinder.hpp"

namespace moult::internal {

void StopBlocker::blame(pid_t task, const char* what) noexcept {
  task_ = task;
  what_ = what;
  frame_count_ = 0;
  is_only_late_ = false;
}

void StopBlocker::blame_late(pid_t task) noexcept {
  if (is_known()) return;
  blame(task, "was not given a processor in time; the machine is busy");
  is_only_late_ = true;
}

void StopBlocker::blame(const StopSlot& slot, const UnsafeStop& unsafe, RowCache& rows) noexcept {
  blame(slot.task, unsafe.what);
  walk_stack(rows, registers_of(*slot.context), [this, &unsafe](const Frame& frame) {
    bool is_last = !frame.is_precise;  // beyond this frame only the doubtful word counts
    if (is_last && unsafe.at == CodeAddress{}) return false;
    frames_[frame_count_++] = is_last ? unsafe.at : frame.lookup_address();
    return !is_last && frame_count_ < frames_.size();
  });
}

std::string StopBlocker::explain() const {
  if (guard_ != nullptr) return std::string(guard_) + " shows that its variable is being initialised";
  if (task_ == 0) return what_ != nullptr ? what_ : "new threads were created all the time";
  std::string text = describe_thread(ThreadId{task_}) + " " + what_;
  if (frame_count_ == 0) return text;
  Program program = Program::of_this_process();
  for (std::size_t i = 0; i < frame_count_; ++i)
    text += (i == 0 ? ": in " : ", called from ") + program.describe(frames_[i]);
  return text;
}

}  // namespace moult::internal
