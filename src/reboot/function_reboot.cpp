// The call's frame is left like any other (pending_exits.cpp). The thread then enters a function with the same result
// type, an instance of a template in the update. That instance returns its result by the rules by which the caller
// takes it, since both follow one ABI. Only the place of a result in memory must be passed on. The old function
// received it in a register, and its code shows where it keeps it (code/entry_value.hpp).
#include "reboot/function_reboot.hpp"

#include <cstring>
#include <memory>
#include <utility>

#include "base/code_record.hpp"
#include "base/fault.hpp"
#include "base/opaque.hpp"
#include "code/entry_value.hpp"
#include "moult/error.hpp"
#include "platform/tasks.hpp"
#include "points/static_points.hpp"
#include "stacks/frame_locals.hpp"

namespace moult::internal {
namespace {

/// An exit that goes on with a new function.
class ToSuccessor final : public PendingExit {
 public:
  ToSuccessor(ThreadId thread, std::string call, const Exit& exit, std::unique_ptr<moult::detail::Successor> successor)
      : PendingExit(thread, std::move(call), exit), successor_(std::move(successor)) {}

  std::unique_ptr<moult::detail::Successor> take() noexcept { return std::move(successor_); }

 private:
  std::unique_ptr<moult::detail::Successor> successor_;
};

/// The version that the call belongs to.
const FunctionExtent& extent_at(const std::vector<FunctionExtent>& versions, CodeAddress address) {
  for (const FunctionExtent& version : versions)
    if (version.contains(address)) return version;
  return versions.front();
}

/// A clone has parameters of its own, and may omit a result that nothing uses.
void refuse_clone(const Program& program, const FunctionExtent& version, CodeAddress address) {
  const std::optional<FunctionSymbol> function = program.at(address);
  if (version.ranges.front().contains(address) || !function || function->clones.empty()) return;
  throw Error(ErrorCode::unsupported, "the call in progress is of a clone that the compiler made of " + version.name +
                                          " (" + function->clones.front() +
                                          "), whose result may be another; mark the function MOULT_UPDATABLE");
}

}  // namespace

PreparedReboot PreparedReboot::prepare(ThreadId thread, const FunctionReboot& reboot) {
  MOULT_FAULT("reboot.function_reboot.prepare");
  PreparedReboot prepared(thread, reboot);
  prepared.program_ = std::make_shared<const Program>(Program::of_this_process());
  prepared.versions_ = extents_of_versions(*prepared.program_, reboot.rebooted());
  for (const FunctionExtent& version : prepared.versions_)
    static_cast<void>(prepared.program_->line_of(version.ranges.front().begin));  // commit finds it read
  prepared.check_ = UnwindCheck::prepare();
  return prepared;
}

bool PreparedReboot::is_in_progress(const StoppedWorld& stopped) const {
  return find_activity(stopped, versions_, code_of(versions_), {thread_}).has_value();
}

Leavable PreparedReboot::find(const StoppedWorld& stopped) const {
  const std::string name = describe_thread(thread_);
  if (!point_of(thread_))
    throw Error(
        ErrorCode::not_found,
        name + " does not stay at a static update point; wait until it has reached one (wait_static_points_reached)");
  const std::optional<Leavable> call = check_.find(stopped, thread_, [this](const FrameState& state) {
    const CodeAddress address = state.frame.lookup_address();
    return std::any_of(versions_.begin(), versions_.end(),
                       [address](const FunctionExtent& version) { return version.contains(address); });
  });
  if (!call)
    throw Error(ErrorCode::not_found,
                "no call of " + versions_.front().name + " is in progress in " + name +
                    " at its static update point; where it was inlined into its caller there is no "
                    "call to be left, so mark it MOULT_UPDATABLE");
  return *call;
}

std::uint64_t PreparedReboot::place_for_result(const Leavable& call) const {
  if (reboot_.place_of_result() == moult::detail::ResultPlace::registers) return 0;
  const FunctionExtent& version = extent_at(versions_, call.frame.frame.lookup_address());
  const std::optional<ValuePlace> place = place_of_first_argument(version.ranges, call.frame.frame.pc);
  std::uint64_t found = 0;
  if (place && !place->in)
    std::memcpy(&found, reinterpret_cast<const void*>(call.frame.cfa + static_cast<std::uint64_t>(place->cfa_offset)),
                sizeof found);
  else if (place && call.frame.holds(*place->in))
    found = call.frame.registers[*place->in];
  if (found == 0)
    throw Error(ErrorCode::unsupported,
                version.name +
                    " returns its result in memory, and where that is to be cannot be told from its "
                    "code; have it return by a pointer or a reference that it is given");
  return found;
}

void PreparedReboot::commit(const StoppedStep& step) const {
  MOULT_FAULT("reboot.function_reboot.commit");
  const Leavable call = find(step.stopped);
  const FunctionExtent& version = extent_at(versions_, call.frame.frame.lookup_address());
  refuse_clone(*program_, version, call.frame.frame.lookup_address());
  const Exit exit{.cfa = call.frame.cfa,
                  .successor = CodeAddress{reinterpret_cast<std::uintptr_t>(reboot_.successor())},
                  .first_argument = place_for_result(call),
                  .may_be_handled = call.may_be_handled};
  const FrameLocals locals(*program_, step.stopped, thread_, reboot_.rebooted());
  if (locals.cfa() != exit.cfa)
    throw Error(ErrorCode::unsupported, "the variables of the call of " + version.name +
                                            " cannot be read: its frame is not "
                                            "where its debug information says");
  MOULT_FAULT("reboot.function_reboot.capture");
  std::unique_ptr<moult::detail::Successor> successor = reboot_.make_successor()(FrameView(locals));
  successor->record = std::make_shared<CodeRecord>(
      CodeUse::called_later,
      std::vector<const void*>{reboot_.successor(), reboot_.caller().module, reboot_.caller().function});
  const std::string line = version.name + " in " + describe_thread(thread_) + " left for its new version";
  schedule_exit(step, std::make_shared<ToSuccessor>(thread_, version.name, exit, std::move(successor)), line);
}

}  // namespace moult::internal

namespace moult {

std::unique_ptr<detail::Successor> detail::take_successor() noexcept {
  return static_cast<internal::ToSuccessor&>(*internal::ForcedUnwind::arrive()).take();
}

void FrameView::read(std::string_view name, const std::type_info& type, void* to, std::size_t size) const {
  internal::behind<internal::FrameLocals>(*locals_).read(name, type, {static_cast<std::byte*>(to), size});
}

const void* FrameView::place_of(std::string_view name, const std::type_info& type, std::size_t size) const {
  return internal::behind<internal::FrameLocals>(*locals_).address_of(name, type, size);
}

void reboot_function(ThreadId thread, const FunctionReboot& reboot) {
  const internal::StoppedStep step = internal::require_stopped_step("a function is rebooted");
  internal::PreparedReboot::prepare(thread, reboot).commit(step);
}

}  // namespace moult
