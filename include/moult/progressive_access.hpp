// Objects one by one as the program comes to them: DataAccessor, progressive.
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

/// How far a progressive access is.
struct AccessProgress {
  std::size_t chunks = 0;  ///< of 64 KiB or more; the first access to one counts as the first to all objects in it
  std::size_t accessed_chunks = 0;
  std::size_t objects = 0;  ///< as many as lived when it was prepared
  std::size_t yielded_objects = 0;
  std::size_t failed_visits = 0;  ///< of those, how many a visitor threw for
  bool is_done = false;           ///< each object was yielded, or the access was ended
};

namespace detail::inline MOULT_ABI_NAMESPACE {

/// A progressive access without the type.
class ProgressiveObjects {
 public:
  /// In any thread, at any time.
  AccessProgress progress() const noexcept;

 protected:
  using Visit = std::function<void(void*)>;

  ProgressiveObjects() noexcept = default;
  /// Stops the program unless an update's step has. Without a `visit` the objects are to be taken.
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

/// The objects of a class that live when it is made, each once, as the program first accesses them: reads, writes, has
/// a system call do so, or deletes. Neighbours of an accessed object (in the same 64 KiB or more) count as accessed
/// with it. For work that is to be spread over time: a thread that updates each object when it comes into use, and the
/// rest in its own time.
///
///     moult::DataAccessor<Data, moult::Access::progressive> accessor;
///     while (Data* data = accessor.next(deadline)) …;  // what the program has accessed
///     for (Data& data : accessor) …;                   // and then all others
///
/// The access itself goes on at once, before the object is yielded, and the program runs on: as with the immediate
/// accessor an element is to be used only where the program's own rules say that it still lives. update_to_class may be
/// called for it in any case, as that looks first (visit_at_first_access is for who has to come before the access).
///
/// Promised: no object that lives on is left out, none is yielded twice, to whatever thread. One that dies meanwhile
/// may be yielded or not; one made meanwhile is not, unless at the address of one that died between its access and its
/// turn. The stop moves memory and looks at no object. When all were accessed nothing is left of it; the same holds
/// when the accessor goes. Another thread may call any function but the destructor.
///
/// Conversion of all objects of the class counts as access to all, and so does fork, whose child has no accessor.
/// Throws Error: thread_unstoppable; unsupported (no userfaultfd; another progressive access to objects of the same
/// pool has not ended), invalid_argument in a dry run; std::bad_alloc. After Pymoult's DataAccessor,
/// progressive.
template <detail::has_own_pool T>
class DataAccessor<T, Access::progressive> final : public detail::ProgressiveObjects {
 public:
  /// Goes through accessed objects first, and through the rest as if it were accessed now.
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

  /// The next object that was accessed; waits for one. Null when each was yielded (progress().is_done) and at the
  /// deadline.
  T* next(std::chrono::steady_clock::time_point deadline) const {
    return static_cast<T*>(ProgressiveObjects::next(deadline));
  }
  /// Does not wait. Throws std::bad_alloc.
  Iterator begin() const { return Iterator(*this); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  T* take() const { return static_cast<T*>(ProgressiveObjects::take()); }
};

/// A visit that goes on after its call. Cheap to copy; every function may be called in any thread.
class AccessVisit final : public detail::ProgressiveObjects {
 public:
  AccessVisit() noexcept = default;
  /// visit_at_first_access makes one.
  AccessVisit(const detail::OpaquePool& own, const Enumeration& options, std::function<void(void*)> visit,
              detail::Caller caller);

  /// Visits what is left, in the calling thread and in stops of about a millisecond each; returns when all is done, by
  /// whomever. In a stopped program all of it in that stop. Throws Error (thread_unstoppable) after `timeout` for one
  /// stop, std::bad_alloc.
  void drain(std::chrono::milliseconds timeout = std::chrono::seconds(1)) const { ProgressiveObjects::drain(timeout); }
  /// What is left is not visited.
  void end() const noexcept { cease(); }
};

/// Calls `visitor(T&)` for each object of the class that lives now, once, before its first access goes on: whoever
/// accesses it waits. The visitor runs in a stopped program as an update's apply does, in a thread of moult's or one
/// that drains: it may allocate and convert the object (update_to_class), and must not wait for another thread. When it
/// throws, a warning in the log names the object, and the rest goes on; of many the first eight are named, and then the
/// number is told each time it has doubled (progress().failed_visits has it at any time).
///
/// An access that cannot wait goes on first, and its objects are visited a moment later: one by a system call; in an
/// update's step while the program stands still; by fork; and after `options.timeout`, as one by printf, where a thread
/// is not stopped. An object that dies or is converted in that moment is not visited.
///
/// What a method of the class had read of an object before is not read again: convert objects to classes that code in
/// progress can bear, or begin in the apply of an update for which no method is active. Called from an update's apply
/// it belongs to the update: undone with it and rolled back it ends; what was visited stays.
///
/// Else as DataAccessor, progressive.
template <detail::has_own_pool T, class Visitor>
[[gnu::visibility("hidden")]] AccessVisit visit_at_first_access(Visitor visitor, const Enumeration& options = {}) {
  return AccessVisit(detail::ModulePoolOf<T>::get(), options,
                     [visitor = std::move(visitor)](void* object) mutable { visitor(*static_cast<T*>(object)); },
                     {&detail::this_module});
}

}  // namespace moult
#pragma GCC visibility pop
