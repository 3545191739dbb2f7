// A moult::Thread calls its main function from a loop in moult, and returns there when that call is left. Only there it
// receives its new main function and the request for another run. So the thread is unchanged until it has left.
#include "reboot/thread_restart.hpp"

#include <string>
#include <utility>

#include "base/fault.hpp"
#include "moult/error.hpp"
#include "moult/reboot.hpp"
#include "platform/tasks.hpp"
#include "points/static_points.hpp"
#include "threads/frame_walk.hpp"

namespace moult::internal {
namespace {

/// Back in the loop, the thread runs `main`, or its present main function if that is empty.
class BackToLoop final : public PendingExit {
 public:
  BackToLoop(std::shared_ptr<ThreadBody> body, MainFunction main, const Exit& exit)
      : PendingExit(body->id(), "its main function", exit), body_(std::move(body)), main_(std::move(main)) {}

  /// What the thread is to run; empty for its present main function. Only while the thread stays at its point.
  const MainFunction& main() const noexcept { return main_; }
  void set_main(MainFunction main) noexcept { main_ = std::move(main); }

  /// Called in place of the main function that was left.
  static void arrive_in_loop() {
    const std::shared_ptr<ForcedUnwind> arrived = ForcedUnwind::arrive();
    auto& self = static_cast<BackToLoop&>(*arrived);
    if (self.main_.call) self.body_->set_main(std::move(self.main_));
    self.body_->ask_for_another_run();
  }

 private:
  std::shared_ptr<ThreadBody> body_;
  MainFunction main_;
};

/// True when the update has told the thread to restart before, and `main` is compatible with that: switch_main says
/// what the thread runs, and reset_thread only that it restarts, in any order.
bool joins_earlier(const StoppedStep& step, ThreadId thread, const MainFunction& main, const std::string& line) {
  const auto earlier = std::dynamic_pointer_cast<BackToLoop>(scheduled_exit(step.transaction, thread));
  if (earlier == nullptr || (main.call && earlier->main().call)) return false;
  if (!main.call) return true;
  step.transaction.add({.what = {line}, .check = {}, .undo = [earlier] { earlier->set_main({}); }});
  earlier->set_main(main);
  return true;
}

/// The CFA of the loop's call; 0 when it is not found.
std::uint64_t call_from(const StoppedWorld& stopped, ThreadId thread, std::uint64_t loop_frame) {
  std::uint64_t callee = 0;
  bool is_found = false;
  walk_frames(stopped, thread, [&](const FrameState& state) {
    is_found = state.cfa == loop_frame;
    if (!is_found) callee = state.cfa;
    return !is_found;
  });
  return is_found ? callee : 0;
}

}  // namespace

ThreadRestart ThreadRestart::prepare(ThreadId thread, MainFunction main) {
  MOULT_FAULT("reboot.thread_restart.prepare");
  ThreadRestart restart;
  restart.body_ = find_thread(thread);
  if (restart.body_ == nullptr)
    throw Error(ErrorCode::not_found,
                "no moult::Thread with the id " + std::to_string(static_cast<int>(thread)) +
                    " runs; only threads that the program made as moult::Thread can be restarted");
  restart.main_ = std::move(main);
  restart.check_ = UnwindCheck::prepare();
  return restart;
}

void ThreadRestart::commit(const StoppedStep& step) {
  MOULT_FAULT("reboot.thread_restart.commit");
  const ThreadId thread = body_->id();
  const std::string name = describe_thread(thread);
  if (!point_of(thread))
    throw Error(
        ErrorCode::not_found,
        name + " does not stay at a static update point; wait until it has reached one (wait_static_points_reached)");
  const std::string line = name + (main_.call ? " restarted with another main function" : " restarted");
  if (joins_earlier(step, thread, main_, line)) return;
  const std::uint64_t call = call_from(step.stopped, thread, body_->run_frame());
  const std::optional<Leavable> left =
      check_.find(step.stopped, thread, [call](const FrameState& state) { return call != 0 && state.cfa == call; });
  if (!left)
    throw Error(ErrorCode::unsupported,
                name +
                    " cannot be unwound: its main function is not found on its stack, where code without unwind "
                    "information may be");
  const Exit exit{.cfa = left->frame.cfa,
                  .successor = CodeAddress{reinterpret_cast<std::uintptr_t>(&BackToLoop::arrive_in_loop)},
                  .may_be_handled = left->may_be_handled};
  schedule_exit(step, std::make_shared<BackToLoop>(body_, main_, exit), line);
}

}  // namespace moult::internal

namespace moult {

void detail::switch_main(ThreadId thread, std::function<void()> main, Caller caller) {
  const internal::StoppedStep step = internal::require_stopped_step("a thread is restarted");
  internal::ThreadRestart::prepare(thread, internal::main_function(std::move(main), caller)).commit(step);
}

void reset_thread(ThreadId thread) {
  const internal::StoppedStep step = internal::require_stopped_step("a thread is restarted");
  internal::ThreadRestart::prepare(thread, {}).commit(step);
}

}  // namespace moult
