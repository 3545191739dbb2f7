#include "threads/safepoint.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <span>
#include <string_view>

#include "base/fault.hpp"
#include "base/guarded.hpp"
#include "base/proc.hpp"
#include "elf/module_list.hpp"
#include "platform/x86_64/encodings.hpp"
#include "platform/x86_64/interrupted_call.hpp"
#include "symbols/guard_variables.hpp"
#include "threads/dynamic_symbols.hpp"
#include "threads/tail_jumps.hpp"
#include "unwind/unwinder.hpp"

namespace moult::internal {
namespace {

using namespace std::string_view_literals;

constexpr std::array allocation_functions = {
    "malloc"sv, "free"sv, "calloc"sv, "realloc"sv, "reallocarray"sv, "memalign"sv, "aligned_alloc"sv,
    "posix_memalign"sv, "valloc"sv, "pvalloc"sv, "malloc_trim"sv, "malloc_usable_size"sv, "malloc_stats"sv,
    "malloc_info"sv, "mallopt"sv, "mallinfo"sv, "mallinfo2"sv,
    // operator new and delete, plain, for arrays, nothrow, sized, aligned
    "_Znwm"sv, "_Znam"sv, "_ZnwmRKSt9nothrow_t"sv, "_ZnamRKSt9nothrow_t"sv, "_ZnwmSt11align_val_t"sv,
    "_ZnamSt11align_val_t"sv, "_ZdlPv"sv, "_ZdaPv"sv, "_ZdlPvm"sv, "_ZdaPvm"sv, "_ZdlPvSt11align_val_t"sv,
    "_ZdlPvmSt11align_val_t"sv, "_ZdaPvSt11align_val_t"sv, "_ZdaPvmSt11align_val_t"sv,
    // the sanitizers' own
    "__interceptor_malloc"sv, "__interceptor_free"sv, "__interceptor_calloc"sv, "__interceptor_realloc"sv,
    "__interceptor_memalign"sv, "__interceptor_aligned_alloc"sv, "__interceptor_posix_memalign"sv};

constexpr std::array creation_functions = {"fork"sv,         "_Fork"sv,          "vfork"sv, "posix_spawn"sv,
                                           "posix_spawnp"sv, "pthread_create"sv, "exit"sv,  "quick_exit"sv};

constexpr std::array loader_functions = {"dlopen"sv, "dlmopen"sv, "dlclose"sv, "dlsym"sv,          "dlvsym"sv,
                                         "dladdr"sv, "dladdr1"sv, "dlinfo"sv,  "dl_iterate_phdr"sv};

/// These hold the lock of libc's list of threads and stacks, which thread creation needs: while the stacks of ended
/// threads are released, and until each thread has taken over the other user.
constexpr std::array joining_functions = {"pthread_join"sv,         "pthread_tryjoin_np"sv, "pthread_timedjoin_np"sv,
                                          "pthread_clockjoin_np"sv, "pthread_detach"sv,     "thrd_join"sv,
                                          "thrd_detach"sv};
constexpr std::array user_functions = {"setuid"sv,   "setgid"sv,    "seteuid"sv,   "setegid"sv,  "setreuid"sv,
                                       "setregid"sv, "setresuid"sv, "setresgid"sv, "setgroups"sv};

constexpr std::array stdio_stems = {
    "printf"sv, "scanf"sv, "fopen"sv, "fdopen"sv, "freopen"sv, "fclose"sv, "fcloseall"sv, "fflush"sv, "fread"sv,
    "fwrite"sv, "fput"sv, "fget"sv, "putc"sv, "getc"sv, "putw"sv, "getw"sv, "puts"sv, "gets"sv, "getline"sv,
    "getdelim"sv, "ungetc"sv, "ungetwc"sv, "fseek"sv, "ftell"sv, "fsetpos"sv, "rewind"sv, "setvbuf"sv, "setbuf"sv,
    "popen"sv, "pclose"sv, "perror"sv, "psignal"sv, "error"sv, "warn"sv, "syslog"sv,
    // not stdio, but they take a lock of libc that a transformer may need
    "localtime"sv, "mktime"sv, "strftime"sv, "tzset"sv, "ctime"sv, "setlocale"sv, "random"sv, "srandom"sv, "rand"sv,
    "srand"sv, "atexit"sv, "setenv"sv, "unsetenv"sv, "putenv"sv, "clearenv"sv, "__cxa_atexit"sv, "on_exit"sv};

bool is_stdio(std::string_view name) noexcept {
  if (name.starts_with("_IO_")) return true;
  while (name.starts_with('_') && !name.starts_with("__cxa")) name.remove_prefix(1);
  if (name.starts_with("isoc99_")) name.remove_prefix("isoc99_"sv.size());
  std::string_view plain = name.starts_with('v') ? name.substr(1) : name;
  return std::any_of(stdio_stems.begin(), stdio_stems.end(), [&](std::string_view stem) {
    return name.starts_with(stem) || plain.starts_with(stem) || (stem.ends_with('f') && plain.find(stem) <= 2);
  });
}

constexpr std::array<const char*, 5> descriptions = {"allocates or frees memory", "is in the dynamic loader",
                                                     "creates or ends a thread or a process, or changes its user",
                                                     "joins or detaches a thread that has ended",
                                                     "is in a call of the C library that holds a lock"};
constexpr const char* in_doubt = "may hold a lock, as a frame without unwind information hides what called it";

template <std::size_t size>
bool is_among(const std::array<std::string_view, size>& names, std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether a call may return to the address. For the first bytes of `range` that is not known, and the answer is yes.
bool is_behind_call(CodeAddress address, CodeRange range) noexcept {
  constexpr std::size_t longest = x86_64::longest_call;
  if (value(address) < value(range.begin) + longest) return true;
  return x86_64::ends_with_call(
      std::span<const std::uint8_t, longest>(reinterpret_cast<const std::uint8_t*>(value(address) - longest), longest));
}

bool holds_lock_of_moult(const StopSlot& slot) noexcept {
  return slot.locks.held > 0 && !(slot.locks.idle && slot.at_syscall);
}

/// For a thread that is in no call known to take a lock.
std::optional<UnsafeStop> judge_runtime(const RuntimeFrames& frames, bool at_syscall, Waiting waiting) noexcept {
  using Wait = RuntimeCode::Wait;
  const Wait wait = at_syscall ? frames.wait() : Wait::none;
  const bool is_in_allocator = frames.allocator() != CodeAddress{};
  if (wait == Wait::for_event || (wait == Wait::for_kernel && !is_in_allocator)) return std::nullopt;
  if (frames.are_all()) return UnsafeStop{"is just starting or ending", frames.outermost()};
  const bool may_stay = wait == Wait::for_lock || waiting == Waiting::for_memory;
  if (is_in_allocator && !may_stay) return UnsafeStop{"is in the library that allocates memory", frames.allocator()};
  return std::nullopt;
}

}  // namespace

std::shared_ptr<const Safepoints> Safepoints::current() {
  struct Made {
    std::uint64_t generation = 0;
    std::shared_ptr<const Safepoints> places;
  };
  static auto& made = *new Guarded<Made>;
  std::uint64_t generation = internal::module_generation();
  std::shared_ptr<const Safepoints> places =
      made.with([&](Made& last) { return last.generation == generation ? last.places : nullptr; });
  if (places != nullptr) return places;
  places = std::shared_ptr<const Safepoints>(new Safepoints());
  made.with([&](Made& last) { last = {generation, places}; });
  return places;
}

Safepoints::Safepoints() {
  MOULT_FAULT("threads.safepoints.read");
  add_module_functions();
  add_guards();
  sort();
}

void Safepoints::add_module_functions() {
  for_each_module([this](const LoadedModule& module) {
    DynamicSymbols symbols(module.bias, module.dynamic);
    if (module.path.find("/ld-linux") != std::string::npos) unsafe_code_.push_back({module.range, Kind::loader});
    if (module.path.starts_with("linux-vdso")) runtime_.add_vdso(module.range);
    if (symbols.find("gnu_get_libc_version")) return add_libc(symbols, module.range);
    add_allocation(symbols, module.range);
    const bool is_library = !module.path.empty();
    if (is_library && symbols.find("malloc")) add_allocator(symbols, module.range);
  });
}

void Safepoints::add_allocation(const DynamicSymbols& symbols, CodeRange module) {
  for (std::string_view name : allocation_functions) {
    std::optional<CodeRange> function = symbols.find(name);
    if (!function) continue;
    unsafe_code_.push_back({*function, Kind::allocation});
    for (CodeRange inner : jumps_of(*function, module)) unsafe_code_.push_back({inner, Kind::allocation});
  }
}

/// Some allocators also wrap libc's thread functions, with locks of their own: the sanitizers.
void Safepoints::add_allocator(const DynamicSymbols& allocator, CodeRange range) {
  runtime_.add_allocator(range);
  allocator.for_each([this](std::string_view name, CodeRange function) {
    std::optional<Kind> kind = kind_of(name);
    if (kind == Kind::creation || kind == Kind::joining) unsafe_code_.push_back({function, *kind});
  });
}

/// libc's own allocation functions are contiguous, except for one.
void Safepoints::add_libc(const DynamicSymbols& libc, CodeRange range) {
  runtime_.add_libc(libc, range);
  CodeRange allocation{};
  for (std::string_view name : allocation_functions) {
    std::optional<CodeRange> function = libc.find(name);
    if (!function) continue;
    if (name == "reallocarray") {
      unsafe_code_.push_back({*function, Kind::allocation});
      continue;
    }
    if (allocation.begin == CodeAddress{}) allocation = *function;
    allocation = {std::min(allocation.begin, function->begin), std::max(allocation.end, function->end)};
  }
  unsafe_code_.push_back({allocation, Kind::allocation});
  libc.for_each([&](std::string_view name, CodeRange function) {
    std::optional<Kind> kind = kind_of(name);
    if (!kind) return;
    unsafe_code_.push_back({function, *kind});
    bool may_jump = *kind == Kind::stdio || *kind == Kind::joining;
    std::optional<CodeRange> inner = may_jump ? last_jump_of(function, range) : std::nullopt;
    if (inner) unsafe_code_.push_back({*inner, *kind});
  });
}

std::optional<Safepoints::Kind> Safepoints::kind_of(std::string_view libc_name) noexcept {
  if (is_among(creation_functions, libc_name) || is_among(user_functions, libc_name)) return Kind::creation;
  if (is_among(joining_functions, libc_name)) return Kind::joining;
  if (is_among(loader_functions, libc_name)) return Kind::loader;
  if (is_stdio(libc_name)) return Kind::stdio;
  return std::nullopt;
}

void Safepoints::add_guards() {
  for_each_module([this](const LoadedModule& module) {
    std::string path = module.path.empty() ? proc::own_executable : module.path;
    for (GuardVariable& guard : internal::guard_variables(path))
      guards_.push_back({module.bias + guard.address, std::move(guard.name)});
  });
}

void Safepoints::sort() {
  std::sort(unsafe_code_.begin(), unsafe_code_.end(),
            [](const UnsafeCode& a, const UnsafeCode& b) { return a.range < b.range; });
  // Aliases give the same range twice, and the region of libc's allocator includes its functions.
  std::vector<UnsafeCode> merged;
  for (const UnsafeCode& place : unsafe_code_) {
    if (!merged.empty() && place.range.begin < merged.back().range.end)
      merged.back().range.end = std::max(merged.back().range.end, place.range.end);
    else
      merged.push_back(place);
  }
  unsafe_code_ = std::move(merged);
}

const Safepoints::UnsafeCode* Safepoints::unsafe_code_at(CodeAddress address) const noexcept {
  auto after = std::upper_bound(unsafe_code_.begin(), unsafe_code_.end(), address,
                                [](CodeAddress wanted, const UnsafeCode& place) { return wanted < place.range.begin; });
  if (after == unsafe_code_.begin() || !std::prev(after)->range.contains(address)) return nullptr;
  return &*std::prev(after);
}

std::optional<UnsafeStop> Safepoints::judge(const StopSlot& slot, RowCache& rows,
                                            const std::vector<CodeRange>& keep_out, Waiting waiting) const noexcept {
  if (holds_lock_of_moult(slot)) return UnsafeStop{"is busy inside moult", {}};
  // A thread that reads input holds only that stream's lock. A thread that waits for a thread's end or for a lock holds
  // none.
  bool waits_for_input = slot.at_syscall && is_input_call(*slot.context);
  bool waits_for_thread = slot.at_syscall && is_futex_call(*slot.context);
  auto is_tolerated = [&](const UnsafeCode& place) {
    if (place.kind != Kind::allocation && waiting != Waiting::no) return true;
    return (place.kind == Kind::stdio && waits_for_input) || (place.kind == Kind::joining && waits_for_thread);
  };
  auto lock_at = [&](CodeAddress address) -> const UnsafeCode* {
    const UnsafeCode* place = unsafe_code_at(address);
    return place == nullptr || is_tolerated(*place) ? nullptr : place;
  };
  std::optional<UnsafeStop> unsafe;
  RuntimeFrames innermost(runtime_);
  walk_stack(rows, registers_of(*slot.context), [&](const Frame& frame) {
    CodeAddress address = frame.lookup_address();
    if (is_strictly_inside(keep_out, frame.pc))
      unsafe = UnsafeStop{"is inside the bytes about to be overwritten", address};
    const UnsafeCode* place = lock_at(address);
    if (!frame.is_precise) {
      innermost.end();
      if (place != nullptr && is_behind_call(frame.pc, place->range)) unsafe = UnsafeStop{in_doubt, address};
      return !unsafe;
    }
    if (place != nullptr) unsafe = UnsafeStop{descriptions[static_cast<std::size_t>(place->kind)], address};
    innermost.add(address);
    return !unsafe;
  });
  return unsafe ? unsafe : judge_runtime(innermost, slot.at_syscall, waiting);
}

std::optional<Destination> Safepoints::way_out(const StopSlot& slot, RowCache& rows) const noexcept {
  std::optional<Destination> out;
  bool was_inside = false;
  RuntimeFrames innermost(runtime_);
  Unwinder unwinder(rows, registers_of(*slot.context));
  do {
    const CodeAddress address = unwinder.frame().lookup_address();
    const UnsafeCode* place = unsafe_code_at(address);
    if (place != nullptr && place->kind != Kind::allocation && place->kind != Kind::stdio) return std::nullopt;
    innermost.add(address);
    const bool is_inside = place != nullptr || (innermost.are_all() && innermost.allocator() != CodeAddress{});
    if (!is_inside && was_inside) out = {value(unwinder.frame().pc), unwinder.stack_pointer()};
    was_inside = is_inside;
  } while (unwinder.step() == Unwinder::Step::stepped);
  return out;
}

const char* Safepoints::static_in_initialisation() const noexcept {
  // libstdc++'s futex protocol: 1 in the first byte is done; 0x100 is being initialised, 0x10000 with waiting threads.
  constexpr int done = 0x1;
  constexpr int in_progress = 0x10100;
  for (const Guard& guard : guards_) {
    int state = __atomic_load_n(reinterpret_cast<const int*>(guard.address), __ATOMIC_RELAXED);
    if ((state & done) == 0 && (state & in_progress) != 0) return guard.name.c_str();
  }
  return nullptr;
}

}  // namespace moult::internal
