// Problem: a variable of a call in progress may be all that keeps a loop from ending. The function that holds it cannot
// be redefined, because it does not return.
//
// Approach: while the program runs, we read the variable's places from the debug information, by code address, as
// values. In the stop we walk every stack with its registers, compute and judge the place for each call, and test that
// it can be written by writing its present content. Only when all calls have passed do we change any.
//
// The judgement: debug information says where a variable can be read, not where the code will read it next. Memory that
// is the variable's place in the whole function is safe, as in unoptimised code or for a volatile variable. A variable
// whose place moves is changed only if it has no other place now. Calls overwrite all but the preserved registers, so
// other places in overwritten registers do not count. Any other place, a constant or an entry value for instance,
// refuses the change.
//
// A thread that was stopped in the function's own code may have read the variable for its current statement, and would
// write back a result of the old value. So it must stand where a line's statement begins.
//
// Limits: a statement of several lines counts as several. A statement that has read the variable and then called a
// function goes on with the old value. Nothing shows what the compiler has computed from the variable beforehand, such
// as a bound or an address. Inlined calls cannot be told from their callers, so a function with inlined copies is
// refused.
#include "stacks/local_change.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "alterability/quiescence.hpp"
#include "base/check.hpp"
#include "base/fault.hpp"
#include "base/opaque.hpp"
#include "base/untracked_change.hpp"
#include "functions/refusals.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"
#include "platform/tasks.hpp"
#include "stacks/local_lookup.hpp"
#include "threads/current_stop.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {

namespace {

/// The function, or a version that an update made of it.
struct Version {
  FunctionExtent extent;
  std::optional<NamedLocals> locals;  ///< none: `refusal` has the reason
  std::optional<Error> refusal;
};

/// Consecutive bytes, in memory or in a stopped thread's context.
struct Write {
  std::uint64_t address = 0;
  ucontext_t* context = nullptr;  ///< used instead of the address
  Register number{};
  std::vector<std::byte> before;
  std::vector<std::byte> after;
};

void carry_out(const Write& write, const std::vector<std::byte>& bytes) noexcept {
  if (write.context == nullptr) {
    const bool is_written = write_memory(write.address, bytes);
    MOULT_CHECK(is_written, "memory of a stopped thread could be written a moment ago");
    return;
  }
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data(), sizeof word);
  set_register(*write.context, write.number, word);
}

/// The writes that were made, while the program stands still.
struct Applied {
  std::vector<Write> writes;
  bool has_ended = false;
};

/// A call to change.
struct Call {
  ThreadId thread{};
  const Version& version;
  const FrameState& state;
  ucontext_t* context = nullptr;  ///< the thread's; null for the calling thread
};

/// "x of worker(int): `what` at app.cpp:42 in worker (12); `next`; nothing was changed".
[[noreturn]] void refuse(ErrorCode code, const Call& call, const std::string& what, const std::string& next) {
  throw Error(code, call.version.locals->text() + ": " + what + " at " +
                        place_text(call.version.locals->described, call.state.frame.lookup_address()) + " in " +
                        describe_thread(call.thread) + "; " + next + "; nothing was changed");
}

constexpr const char* make_it_volatile = "declare it volatile, or compile that source file with -O0 or -Og";

/// True when calls made from there may overwrite the register.
bool is_lost_in_calls(std::uint64_t number) {
  constexpr auto& kept = PlainRow::preserved;
  return number != rsp && std::find(kept.begin(), kept.end(), number) == kept.end();
}

/// True when the variable may have a copy in another place than `entry`.
bool may_be_elsewhere(const FrameVariable& variable, const LocationEntry& entry, const FrameState& state) {
  return std::any_of(variable.entries.begin(), variable.entries.end(), [&](const LocationEntry& other) {
    if (same_expression(other.expression, entry.expression)) return false;
    const std::optional<std::uint64_t> number = register_named_by(other.expression);
    return !(state.frame.is_return_address && number && is_lost_in_calls(*number));
  });
}

/// The whole register for a value that fills a part of it. Code may rely on the upper part: the sign, or zeros. For a
/// non-negative number both are the same; otherwise the present content decides.
std::optional<std::uint64_t> widened(std::uint64_t before, std::span<const std::byte> value) {
  std::uint64_t word = 0;
  std::memcpy(&word, value.data(), value.size());
  if (value.size() == sizeof word) return word;
  const unsigned bits = 8 * static_cast<unsigned>(value.size());
  const std::uint64_t sign = std::uint64_t{1} << (bits - 1);
  if ((word & sign) == 0) return word;
  if ((before & sign) == 0) return std::nullopt;
  return word | (before & ~((sign << 1U) - 1));
}

std::vector<std::byte> bytes_of(std::uint64_t word) {
  const auto bytes = std::as_bytes(std::span<const std::uint64_t, 1>(&word, 1));
  return {bytes.begin(), bytes.end()};
}

Write write_to_register(const Call& call, const FrameVariable& variable, const LocationEntry& entry,
                        std::uint64_t number, std::span<const std::byte> value) {
  const bool is_general = number < register_count && value.size() <= sizeof(std::uint64_t);
  const RegisterPlace place = is_general ? call.state.places[number] : RegisterPlace{};
  if (!is_general || place.kind == RegisterPlace::Kind::computed)
    refuse(ErrorCode::unsupported, call,
           "in " + register_name(number) + ", which cannot be changed" +
               (call.context == nullptr ? " in the thread that makes the change," : ","),
           make_it_volatile);
  if (variable.has_list && may_be_elsewhere(variable, entry, call.state))
    refuse(ErrorCode::unsupported, call, "lives in several places, " + register_name(number), make_it_volatile);
  const std::uint64_t before = call.state.registers[number];
  const std::optional<std::uint64_t> after = widened(before, value);
  if (!after)
    refuse(ErrorCode::unsupported, call, "in " + register_name(number),
           "of which a negative number would fill a part, and it is not known what the code expects in the rest; set "
           "one that is not negative, or declare it volatile");
  Write write{place.address, nullptr, static_cast<Register>(number), bytes_of(before), bytes_of(*after)};
  if (place.kind == RegisterPlace::Kind::context) write.context = call.context;
  return write;
}

Write write_to_memory(const Call& call, const FrameVariable& variable, const LocationEntry& entry,
                      std::uint64_t address, std::span<const std::byte> value) {
  if (variable.has_list && may_be_elsewhere(variable, entry, call.state))
    refuse(ErrorCode::unsupported, call, "lives in several places, memory", make_it_volatile);
  Write write{address, nullptr, {}, std::vector<std::byte>(value.size()), {value.begin(), value.end()}};
  if (!read_memory(address, write.before))
    refuse(ErrorCode::unsupported, call, "in memory that cannot be read",
           "the debug information may be damaged, or the frame");
  return write;
}

/// Requires one place that can be changed, and that the frame has not lost.
const LocationPiece& require_place(const Call& call, const FoundVariable& found) {
  if (found.is_early)
    refuse(ErrorCode::still_active, call, "not there", "its function is just being entered or left, try again");
  const bool is_one = found.entries == 1 && found.location.size() == 1;
  if (found.entries > 0 && !is_one) refuse(ErrorCode::unsupported, call, "lives in several places", make_it_volatile);
  if (!found.is_there()) refuse(ErrorCode::unsupported, call, "optimized out", make_it_volatile);
  const LocationPiece& piece = found.location.front();
  const bool is_register = piece.kind == LocationPiece::Kind::in_register;
  if (is_register && piece.place < register_count && !call.state.holds(piece.place))
    refuse(ErrorCode::unsupported, call, "optimized out", make_it_volatile);
  if (piece.kind == LocationPiece::Kind::value)
    refuse(ErrorCode::unsupported, call, "in no place of its own, its value being made of others or of none,",
           make_it_volatile);
  return piece;
}

/// False for a call that has called another function: its statement goes on with the result.
bool is_within_statement(const Call& call) {
  return !call.state.frame.is_return_address && !begins_statement(call.version.locals->described, call.state.frame.pc);
}

Write plan_write(const Call& call, const std::type_info& type, std::span<const std::byte> value) {
  const NamedLocals& locals = *call.version.locals;
  const FrameVariable* variable = locals.at(call.state.frame.lookup_address());
  if (variable == nullptr)
    refuse(ErrorCode::unsupported, call, "not in scope",
           "declare it further out, or wait until the call has got there");
  require_type(locals, *variable, type, value.size());
  const StoppedFrame frame(call.state, locals.described, read_process_memory);
  const FoundVariable found = find_variable(*variable, frame);
  const LocationPiece& piece = require_place(call, found);
  Write write = piece.kind == LocationPiece::Kind::in_register
                    ? write_to_register(call, *variable, *found.entry, piece.place, value)
                    : write_to_memory(call, *variable, *found.entry, piece.place, value);
  if (is_within_statement(call))
    refuse(ErrorCode::still_active, call, "the thread stands within a statement, which may have read it,", "try again");
  if (write.context == nullptr && !write_memory(write.address, write.before))
    refuse(ErrorCode::unsupported, call, "in memory that cannot be written", "it may be a constant of the program's");
  return write;
}

}  // namespace

struct LocalChange::State {
  std::string text;
  const std::type_info& type;
  std::vector<Version> versions;

  const Version* version_at(CodeAddress address) const {
    const auto found = std::find_if(versions.begin(), versions.end(),
                                    [address](const Version& one) { return one.extent.contains(address); });
    return found != versions.end() ? &*found : nullptr;
  }
  void plan_thread(const StoppedWorld& stopped, ThreadId thread, std::span<const std::byte> value,
                   std::vector<Write>& writes) const;
  void require_no_more(const StoppedWorld& stopped, ThreadId thread) const;
};

/// Words of a stack that cannot be walked may be calls.
void LocalChange::State::require_no_more(const StoppedWorld& stopped, ThreadId thread) const {
  stopped.walk(thread, [&](const Frame& frame) {
    if (frame.is_precise || version_at(frame.lookup_address()) == nullptr) return true;
    throw Error(ErrorCode::unsupported,
                text + ": the stack of " + describe_thread(thread) +
                    " leads through code without unwind information, behind which there may be another call of the "
                    "function; nothing was changed");
  });
}

void LocalChange::State::plan_thread(const StoppedWorld& stopped, ThreadId thread, std::span<const std::byte> value,
                                     std::vector<Write>& writes) const {
  // The visitor must not throw through the walk, so it collects the frames, and they are judged afterwards.
  std::vector<FrameState> calls;
  const WalkEnd end = walk_frames(stopped, thread, [&](const FrameState& state) {
    if (version_at(state.frame.lookup_address()) != nullptr) calls.push_back(state);
    return true;
  });
  if (end == WalkEnd::lost) require_no_more(stopped, thread);
  for (const FrameState& state : calls) {
    const Version& version = *version_at(state.frame.lookup_address());
    if (version.refusal) throw Error(*version.refusal);
    writes.push_back(plan_write({thread, version, state, stopped.context(thread)}, type, value));
  }
}

LocalChange::LocalChange(std::unique_ptr<const State> state, std::size_t size)
    : state_(std::move(state)), size_(size) {}
LocalChange::~LocalChange() = default;

namespace {

void require_no_copies(const Program& program, const AnyFunction& function, const std::string& text) {
  const std::optional<FunctionSymbol> symbol =
      program.at(CodeAddress{reinterpret_cast<std::uintptr_t>(function.address())});
  if (!symbol) return;
  const std::optional<std::vector<InlinedSite>> sites = program.inlined_sites(*symbol);
  if (sites && !sites->empty())
    throw Error(ErrorCode::inlined, text + ": the function is inlined at " + list_sites(*sites) +
                                        ", where its calls cannot be told from their callers'; mark it "
                                        "MOULT_UPDATABLE and build again");
}

void require_changeable(const NamedLocals& locals, const std::type_info& type, std::size_t size) {
  // Several variables may share the name; the scope decides later.
  const auto fits = [&](const FrameVariable& variable) {
    try {
      require_type(locals, variable, type, size);
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  const auto first = std::find_if(locals.variables.begin(), locals.variables.end(), fits);
  if (first == locals.variables.end()) require_type(locals, locals.variables.front(), type, size);
  if (first->type.is_const)
    throw Error(ErrorCode::invalid_argument, locals.text() +
                                                 " is const, and code may hold its value without asking "
                                                 "for it; take the const away");
  if (first->entries.empty())
    throw Error(ErrorCode::unsupported, locals.text() + ": optimized out everywhere, from " + first->declared.file +
                                            ":" + std::to_string(first->declared.line) +
                                            " on; declare it volatile, or compile that source file with -O0 or -Og");
}

}  // namespace

std::shared_ptr<const LocalChange> LocalChange::prepare(const AnyFunction& function, std::string_view name,
                                                        const std::type_info& type, std::size_t size) {
  MOULT_FAULT("stacks.local.prepare");
  const Program program = Program::of_this_process();
  require_short_reading("the search for " + std::string(name), "make the moult::LocalVariable in prepare", [&] {
    return program.debug_info_size(CodeAddress{reinterpret_cast<std::uintptr_t>(function.address())});
  });
  std::unique_ptr<State> state(new State{{}, type, {}});
  for (FunctionExtent& extent : extents_of_versions(program, function)) {
    Version& version = state->versions.emplace_back();
    version.extent = std::move(extent);
    try {
      version.locals = find_locals(program, version.extent.ranges.front().begin, version.extent.name, name);
      require_changeable(*version.locals, type, size);
    } catch (const Error& error) {
      if (state->versions.size() == 1) throw;
      version.refusal = error;  // matters only if a call of that version is in progress
    }
  }
  state->text = state->versions.front().locals->text();
  require_no_copies(program, function, state->text);
  return std::make_shared<LocalChange>(std::move(state), size);
}

std::string LocalChange::text() const { return state_->text; }

std::size_t LocalChange::commit(const StoppedWorld& stopped, std::span<const std::byte> value,
                                const std::vector<ThreadId>& threads, Transaction* transaction) const {
  const std::span<const ThreadId> all = stopped.threads();
  for (const ThreadId thread : threads)
    if (std::find(all.begin(), all.end(), thread) == all.end())
      throw Error(ErrorCode::not_found, state_->text + ": thread " + std::to_string(static_cast<int>(thread)) +
                                            " is not in the program; it may have ended; nothing was changed");
  const auto applied = std::make_shared<Applied>();
  for (const ThreadId thread : threads.empty() ? all : std::span<const ThreadId>(threads))
    state_->plan_thread(stopped, thread, value, applied->writes);
  const std::size_t count = applied->writes.size();
  if (count == 0) return 0;
  MOULT_FAULT("stacks.local.record");
  if (transaction != nullptr) {
    UndoStep step;
    step.what = {state_->text + " set in " + std::to_string(count) + (count == 1 ? " call" : " calls")};
    step.check = [applied, text = state_->text] {
      if (applied->has_ended)
        throw Error(ErrorCode::unsupported, text +
                                                ": what it was set to cannot be undone once the program has "
                                                "gone on, as calls may have ended; let another update set it");
    };
    step.undo = [applied] {
      if (applied->has_ended) return;
      for (auto write = applied->writes.rbegin(); write != applied->writes.rend(); ++write)
        carry_out(*write, write->before);
    };
    transaction->before_resume([applied] { applied->has_ended = true; });
    transaction->add(std::move(step));
  }
  for (const Write& write : applied->writes) carry_out(write, write.after);
  return count;
}

}  // namespace moult::internal

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

std::shared_ptr<const OpaqueLocalChange> find_local(const AnyFunction& function, std::string_view name,
                                                    const std::type_info& type, std::size_t size) {
  return internal::LocalChange::prepare(function, name, type, size);
}

std::size_t set_local(const OpaqueLocalChange& local, const void* value, const LocalUpdate& options) {
  const auto& change = internal::behind<internal::LocalChange>(local);
  std::size_t count = 0;
  internal::change_untracked(
      [&] {
        internal::in_stopped_world(
            {.timeout = options.timeout, .keep_out = {}}, [&](const internal::StoppedWorld& stopped) {
              count = change.commit(stopped, {static_cast<const std::byte*>(value), change.size()}, options.threads,
                                    internal::Transaction::current());
            });
      },
      [&] { return std::vector<std::string>{change.text() + " set"}; });
  return count;
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
