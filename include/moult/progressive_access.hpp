// Objects one by one, as the program accesses them: DataAccessor, progressive.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>

#include "moult/data_access.hpp"
#include "moult/detail/caller.hpp"
#include "moult/detail/opaque.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// The progress of a progressive access.
struct AccessProgress {
  std::size_t chunks = 0;  ///< slab ranges of 64 KiB or more; the first access to one counts for all objects in it
  std::size_t accessed_chunks = 0;
  std::size_t objects = 0;  ///< objects that lived when it was prepared
  std::size_t yielded_objects = 0;
  std::size_t failed_visits = 0;  ///< yielded objects for which the visitor threw
  bool is_done = false;           ///< every object was yielded, or the access was ended
};

namespace detail::inline MOULT_ABI_NAMESPACE {

/// A progressive access without its type.
class ProgressiveObjects {
 public:
  /// In any thread, at any time.
  AccessProgress progress() const noexcept;

 protected:
  using Visit = std::function<void(void*)>;

  ProgressiveObjects() noexcept = default;
  /// Stops the program unless an update's step has. Without a `visit`, the caller takes the objects.
  ProgressiveObjects(const OpaquePool& own, const Enumeration& options, Visit visit, Caller caller);

  void* next(std::chrono::steady_clock::time_point deadline) const;
  void* take() const;
  void drain(std::chrono::milliseconds timeout) const;
  void cease() const noexcept;

 private:
  std::shared_ptr<OpaqueProgressiveAccess> access_;
};

template <class T>
using ModulePoolOf = decltype(module_pool<T>(static_cast<const T*>(nullptr)));

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// The objects of a class that live at construction, each once, as the program first accesses them. A read, a write, a
/// system call or a deletion is an access. Neighbours in the same slab range (64 KiB or more) count as accessed
/// together. For work that is spread over time: a thread updates each object when it comes into use, and the rest when
/// it has time.
///
///     moult::DataAccessor<Data, moult::Access::progressive> accessor;
///     while (Data* data = accessor.next(deadline)) ...;  // objects that the program has accessed
///     for (Data& data : accessor) ...;                   // then all others
///
/// The access goes on at once, before the object is yielded, and the program runs on. As with the immediate accessor,
/// use an element only where the program's own rules guarantee that it lives. update_to_class is always safe: it checks
/// first. Use visit_at_first_access for work that must precede the access.
///
/// Every object that lives on is yielded, and none twice, over all threads together. An object that dies meanwhile may
/// be yielded or not. A new object is not yielded, unless it lies where an object died between its access and its turn.
/// The stop moves memory and reads no object. When every object was accessed, or the accessor is destroyed, no cost
/// remains. Another thread may call any function but the destructor.
///
/// A conversion of all objects of the class counts as access to all. So does fork, whose child has no accessor. Throws
/// std::bad_alloc. After Pymoult's DataAccessor, progressive.
///
/// thread_unstoppable: a thread did not reach a safepoint in time
/// unsupported: no userfaultfd, or another progressive access to the pool has not ended
/// invalid_argument: in a dry run
template <detail::has_own_pool T>
class DataAccessor<T, Access::progressive> final : public detail::ProgressiveObjects {
 public:
  /// Iterates over accessed objects first, then over the rest as if each were accessed now.
  class Iterator final {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = T*;
    using reference = T&;

    T& operator*() const noexcept { return *object_; }
    T* operator->() const noexcept { return object_; }
    Iterator& operator++() {
      object_ = accessor_->take();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const noexcept { return object_ == nullptr; }

   private:
    friend DataAccessor;
    explicit Iterator(const DataAccessor& accessor) : accessor_(&accessor), object_(accessor.take()) {}
    const DataAccessor* accessor_;
    T* object_;
  };

  [[gnu::visibility("hidden")]] explicit DataAccessor(const Enumeration& options = {})
      : ProgressiveObjects(detail::ModulePoolOf<T>::get(), options, nullptr, {}) {}
  ~DataAccessor() { cease(); }
  DataAccessor(const DataAccessor&) = delete;
  DataAccessor& operator=(const DataAccessor&) = delete;

  /// Waits for the next accessed object. Null when every object was yielded (progress().is_done), and at the deadline.
  T* next(std::chrono::steady_clock::time_point deadline) const {
    return static_cast<T*>(ProgressiveObjects::next(deadline));
  }
  /// Does not wait. Throws std::bad_alloc.
  Iterator begin() const { return Iterator(*this); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  T* take() const { return static_cast<T*>(ProgressiveObjects::take()); }
};

/// A visit that goes on after its call. Cheap to copy; every function is safe in any thread.
class AccessVisit final : public detail::ProgressiveObjects {
 public:
  AccessVisit() noexcept = default;
  /// Made by visit_at_first_access.
  AccessVisit(const detail::OpaquePool& own, const Enumeration& options, std::function<void(void*)> visit,
              detail::Caller caller);

  /// Visits the rest, in the calling thread, in stops of about a millisecond each; in a stopped program all in that
  /// stop. Returns when every object is visited, including the visits of other threads. Throws std::bad_alloc.
  ///
  /// thread_unstoppable: one stop took longer than `timeout`
  void drain(std::chrono::milliseconds timeout = std::chrono::seconds(1)) const { ProgressiveObjects::drain(timeout); }
  /// Ends the access; the rest is not visited.
  void end() const noexcept { cease(); }
};

/// Calls `visitor(T&)` once for each object of the class that lives now, before the object's first access. The
/// accessing thread waits for it.
///
///     moult::visit_at_first_access<app::Data>(
///         [](app::Data& data) { moult::update_to_class<app::Data, Data_v2>(data, convert); });
///
/// The visitor runs in a stopped program as an update's apply does, in a thread of moult's or one that drains. It may
/// allocate and convert the object (update_to_class), but must not wait for another thread. When it throws, a warning
/// in the log names the object, and the visit goes on. The log names the first eight such objects, then the number each
/// time it has doubled; progress().failed_visits always has it.
///
/// An access that cannot wait goes on first, and its objects are visited a moment later: an access by a system call, by
/// an update's step in the stopped program, by fork, and after `options.timeout` where a thread cannot be stopped
/// (inside of printf, say). An object that dies or is converted in that moment is not visited.
///
/// A method of the class does not re-read what it has read before. So convert objects to classes that running code can
/// bear, or start in the apply of an update for which no method is active. Called from an update's apply, the visit
/// belongs to the update: it ends when the update is undone or rolled back. Visited objects stay as they are.
///
/// Otherwise as DataAccessor, progressive.
template <detail::has_own_pool T, class Visitor>
[[gnu::visibility("hidden")]] AccessVisit visit_at_first_access(Visitor visitor, const Enumeration& options = {}) {
  const detail::Caller caller{&detail::this_module, detail::function_in(visitor)};
  return AccessVisit(
      detail::ModulePoolOf<T>::get(), options,
      [visitor = std::move(visitor)](void* object) mutable { visitor(*static_cast<T*>(object)); }, caller);
}

}  // namespace moult
#pragma GCC visibility pop
