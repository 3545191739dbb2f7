// Redirecting pointers: what the program keeps a function's or an object's address in gets another one.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "moult/detail/caller.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/heap_walker.hpp"

#pragma GCC visibility push(default)
namespace moult {

struct PointerRedirection {
  /// Whose variables are looked into, and what they lead to: names of files or paths. None: the program's own.
  std::vector<std::string> modules{};
  /// Whether pointers and references that do not say whether their object still lives are followed to find others.
  RawPointers raw_pointers = RawPointers::followed;
  /// How long a stop of its own may take to find every thread at a safe place.
  std::chrono::milliseconds timeout{1000};
};

struct RedirectedPointers {
  std::size_t count = 0;
  std::vector<std::string> where;        ///< the ways to the first 100: "app::handlers[2].call"
  std::vector<HeapRemark> not_followed;  ///< behind which there may be others that were not found
};

namespace detail::inline MOULT_ABI_NAMESPACE {

/// What kind of pointers is looked for.
struct PointerType {
  const std::type_info* type = nullptr;        ///< of the pointer
  const std::type_info* const_type = nullptr;  ///< of one to const, which may point there too; null for functions
  std::size_t size = 0;                        ///< bytes
};
std::shared_ptr<const OpaquePointerSearch> find_pointers(const PointerType& type, const PointerRedirection& options);
/// The targets are where the pointers' values are.
RedirectedPointers redirect_pointer(const std::shared_ptr<const OpaquePointerSearch>& search, const void* old_target,
                                    const void* new_target, const PointerRedirection& options, Caller caller);

template <class T>
PointerType pointer_type() {
  // NOLINTNEXTLINE(bugprone-sizeof-expression): the pointer's own size is meant
  PointerType kind{&typeid(T), nullptr, sizeof(T)};
  if constexpr (std::is_pointer_v<T>)
    if constexpr (std::is_object_v<std::remove_pointer_t<T>>)
      kind.const_type = &typeid(std::add_const_t<std::remove_pointer_t<T>>*);
  return kind;
}

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// The program's pointers of a type, to be redirected: to functions (callbacks, tables of handlers), to objects, or to
/// member functions.
///
///     moult::Pointers<int (*)(int)> handlers;   // in prepare: reads debug information
///     handlers.redirect(&twice, &thrice);       // in apply
///
/// Found are pointers of exactly that type, or of the same to const, as the debug information tells of variables and
/// members, in what traverse_heap finds: global, static and members' variables of the modules, objects, arrays and
/// containers that they lead to. Left alone are vtables; smart pointers, which own what they point to; references; what
/// is in a std::function, a void pointer or a union; and pointers that threads have in their stacks, registers or
/// thread-local variables: calls in progress go on as they began.
///
/// A function is better redefined (redefine_function), which reaches every call: this is for where only some of its
/// uses shall change, or where it cannot be redefined.
template <class T>
requires std::is_pointer_v<T> || std::is_member_function_pointer_v<T>
class Pointers final {
  static_assert(!std::is_void_v<std::remove_pointer_t<T>>, "what a void pointer is one to nobody knows");

 public:
  /// Reads debug information, which takes seconds for a big program: in any thread, best while the program runs. Of
  /// modules that are loaded later nothing is known. Throws Error: not_found (no such module, no debug information).
  explicit Pointers(PointerRedirection options = {})
      : options_(std::move(options)), search_(detail::find_pointers(detail::pointer_type<T>(), options_)) {}

  /// Sets every one that points to `old_target` to `new_target`. All of them in one stop, or none.
  ///
  /// Called from a step of an update it belongs to that update: it is undone with it. A rollback looks for the pointers
  /// once more, and is refused (unsupported) where one has been changed since or is not found any more. Stops the
  /// program unless it is stopped. Throws Error: not_found (no pointer holds the old target), unsupported (one of them
  /// is in memory that cannot be written), invalid_argument (a null pointer), thread_unstoppable.
  [[gnu::visibility("hidden")]] RedirectedPointers redirect(T old_target, T new_target) const {
    return detail::redirect_pointer(search_, &old_target, &new_target, options_, {&detail::this_module});
  }

 private:
  PointerRedirection options_;
  std::shared_ptr<const detail::OpaquePointerSearch> search_;
};

/// Both at once; in a stopped program it reads debug information there. Pymoult had planned it and never had it.
template <class T>
[[gnu::visibility("hidden")]] RedirectedPointers redirect_pointer(T old_target, std::type_identity_t<T> new_target,
                                    const PointerRedirection& options = {}) {
  return Pointers<T>(options).redirect(old_target, new_target);
}

}  // namespace moult
#pragma GCC visibility pop
