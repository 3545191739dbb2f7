// What passes a closed gate:
// - calls by a thread that is inside a function of the set, as its own stack shows;
// - calls by the update's own thread, which would wait for itself;
// - calls by service threads (threads/service_threads.hpp), which others may wait for in a stop;
// - all calls in a child process, where no thread would open the gate.
//
// In doubt a call passes, for example on a stack that is not walked precisely. Then the update waits longer; otherwise
// a thread might wait for ever.
//
// Below the gate, calls reach the function's active version. If that is the function itself, its overwritten first
// instructions are executed as a copy (moved_entry.hpp).
//
// While a thread looks at its own stack it counts as busy inside moult. So no stop meets it there, and the data that it
// looks at can be exchanged in a stop. A waiting thread holds nothing. Neither allocates or takes a lock, because a
// call may come from anywhere, also from a signal handler.
//
// A gate's stub (24 bytes) lies within reach of its function. The unwinder is told of it: there the stack is as at the
// function's entry.
//
// A thread may be stopped on its way through a gate, where it counts as outside, and go on when the gate is gone and
// the function redefined. So it learns where to go by its last instruction, and by then a removed gate leads to the
// entry.
//
// Limit: a waiting thread may hold locks of the program that a thread inside needs to return. Then the threads inside
// stay there, and the update opens the gate when its patience has run out.
#include "code/gate.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/check.hpp"
#include "base/fault.hpp"
#include "base/guarded.hpp"
#include "base/transaction.hpp"
#include "code/entry.hpp"
#include "code/moved_entry.hpp"
#include "code/near_code.hpp"
#include "moult/error.hpp"
#include "platform/futex.hpp"
#include "platform/tasks.hpp"
#include "threads/service_threads.hpp"
#include "unwind/unwinder.hpp"

namespace moult::internal {
namespace {

struct GatedFunction {
  Gate gate;
  std::vector<std::uint8_t> original;  ///< the function's first bytes, as compiled
  CodeAddress stub{};                  ///< where its entry jumps to
};

/// Throws Error: no_room, system.
std::unique_ptr<GatedFunction> make_gated_function(const EntryCode& entry, const CodeAddress* (*decide)(GateEntry&)) {
  std::unique_ptr<GatedFunction> made = std::make_unique<GatedFunction>();
  made->gate.decide = decide;
  made->gate.function = entry.function;
  made->original = entry.bytes;
  made->stub = near_code().take(entry.name, entry.place, sizeof(GateStub));
  const GateStub stub = stub_for(made->gate);
  near_code().write(made->stub, {reinterpret_cast<const std::uint8_t*>(&stub), sizeof stub});
  register_entry_code({made->stub, made->stub + offsetof(GateStub, target)});
  return made;
}

/// The process that last closed a gate.
std::atomic<pid_t> closer{0};

bool is_closed(std::uint32_t word) noexcept { return word % 2 != 0; }

bool is_exempt() noexcept {
  return Transaction::current() != nullptr || closer.load(std::memory_order_relaxed) != own_process() ||
         is_service_thread();
}

bool is_own_stack_inside(const Gate& gate) noexcept {
  const NoStop here;
  bool is_inside = false;
  RowCache rows;
  walk_stack(rows, current_registers(), [&](const Frame& frame) {
    is_inside = is_from_inside(gate.inside, frame.lookup_address());
    return !is_inside;
  });
  return is_inside;
}

/// A function of its own, without anything to clean up and without noexcept. A thread may be cancelled in the system
/// call, at an instruction that is no call.
[[gnu::noinline]] void wait_at(const Gate& gate, std::uint32_t seen) {
  while (gate.word.load() == seen) futex_wait(gate.word, seen);
}
/// Called through a volatile pointer. Otherwise the compiler sees that wait_at never throws and drops the caller's
/// unwind entry, and cancellation cannot unwind through here.
void (*volatile const opaque_wait_at)(const Gate&, std::uint32_t) = wait_at;

const CodeAddress* decide(GateEntry& entry) {
  Gate& gate = static_cast<Gate&>(entry);
  const std::uint32_t seen = gate.word.load();
  if (!is_closed(seen) || is_exempt() || is_own_stack_inside(gate)) return &gate.way;
  opaque_wait_at(gate, seen);
  return &gate.function;
}

/// Every gate ever made.
Guarded<std::vector<std::unique_ptr<GatedFunction>>>& gated() {
  static Guarded<std::vector<std::unique_ptr<GatedFunction>>>& only =
      *new Guarded<std::vector<std::unique_ptr<GatedFunction>>>();
  return only;
}

void require_usable(const EntryCode& entry) {
  if (!can_keep_arguments())
    throw Error(ErrorCode::unsupported, entry.name + ": this processor's vector registers cannot be kept at a gate");
  if (entry.is_loop_head)
    throw Error(ErrorCode::unsupported_code,
                entry.name +
                    ": jumps back to its own entry, where a call in progress cannot be told from a new one; wait for "
                    "its quiescence, or for its return, without a gate");
}

/// The function's gate. It is made at the first call, and again if another library is at the address now.
GatedFunction& gate_of(const EntryCode& entry) {
  require_usable(entry);
  return gated().with([&](std::vector<std::unique_ptr<GatedFunction>>& all) -> GatedFunction& {
    for (const std::unique_ptr<GatedFunction>& known : all) {
      if (known->gate.function != entry.function || known->original != entry.bytes) continue;
      if (is_closed(known->gate.word.load()))
        throw Error(ErrorCode::still_active,
                    entry.name + ": another update keeps its calls waiting; try again when that has ended");
      return *known;
    }
    std::unique_ptr<GatedFunction> made = make_gated_function(entry, decide);
    all.push_back(std::move(made));
    return *all.back();
  });
}

}  // namespace

bool is_from_inside(std::span<const CodeRange> inside, CodeAddress frame) noexcept {
  auto after = std::upper_bound(inside.begin(), inside.end(), frame,
                                [](CodeAddress wanted, const CodeRange& range) { return wanted < range.begin; });
  return after != inside.begin() && std::prev(after)->contains(frame);
}

class Gates::Impl final {
 public:
  Impl(std::vector<PatchTarget> targets, std::vector<CodeRange> inside, PatchOptions options);

  std::span<const CodeRange> keep_out() const noexcept { return patch_->keep_out(); }
  void require_untouched(const StoppedWorld& stopped) const { patch_->require_untouched(stopped); }

  void close(const StoppedWorld& stopped) noexcept {
    closer.store(own_process());
    for (std::size_t i = 0; i < gates_.size(); ++i) {
      Gate& gate = *gates_[i];
      MOULT_CHECK(!is_closed(gate.word.load()), "a gate is closed twice");
      gate.inside = inside_;
      gate.way = ways_[i];
      gate.word.fetch_add(1);
    }
    is_closed_ = true;
    patch_->commit(stopped);
  }

  void open() noexcept {
    if (!std::exchange(is_closed_, false)) return;
    for (Gate* gate : gates_) {
      gate->word.fetch_add(1);
      futex_wake_all(gate->word);
    }
  }

  void take_away(const StoppedWorld& stopped) noexcept {
    open();
    patch_->revert(stopped);
    for (Gate* gate : gates_) {
      gate->inside = {};
      gate->way = gate->function;
    }
  }

  void finish() noexcept { patch_->finish(); }

 private:
  std::vector<CodeRange> inside_;
  std::vector<Gate*> gates_;
  std::vector<CodeAddress> ways_;
  std::optional<Patch> patch_;
  bool is_closed_ = false;
};

Gates::Impl::Impl(std::vector<PatchTarget> targets, std::vector<CodeRange> inside, PatchOptions options)
    : inside_(std::move(inside)) {
  MOULT_FAULT("code.gate.entries");
  const std::vector<EntryCode> entries = entry_code_of(targets);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    GatedFunction& gated = gate_of(entries[i]);
    ways_.push_back(permanent_entry(entries[i],
                                    "no call can be let through a gate: wait for the function's quiescence, or for its "
                                    "return, without one"));
    gates_.push_back(&gated.gate);
    targets[i].replacement = gated.stub;
  }
  MOULT_FAULT("code.gate.made");
  options.kind = PatchKind::gate;
  patch_.emplace(Patch::prepare(targets, std::move(options)));
}

Gates::Gates(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Gates::Gates(Gates&&) noexcept = default;
Gates& Gates::operator=(Gates&&) noexcept = default;
Gates::~Gates() = default;

Gates Gates::prepare(std::vector<PatchTarget> targets, std::vector<CodeRange> inside, PatchOptions options) {
  return Gates(std::make_unique<Impl>(std::move(targets), std::move(inside), std::move(options)));
}

std::span<const CodeRange> Gates::keep_out() const noexcept { return impl_->keep_out(); }
void Gates::require_untouched(const StoppedWorld& stopped) const { impl_->require_untouched(stopped); }
void Gates::close(const StoppedWorld& stopped) noexcept { impl_->close(stopped); }
void Gates::open() noexcept { impl_->open(); }
void Gates::take_away(const StoppedWorld& stopped) noexcept { impl_->take_away(stopped); }
void Gates::finish() noexcept { impl_->finish(); }

}  // namespace moult::internal
