// Conversion of objects at their first use: start_lazy_update, LazyConversionUpdate.
//
//   auto convert = [](const app::Data& old) { return Data_v2(old.number); };
//   moult::LazyObjects objects = moult::start_lazy_update<app::Data, Data_v2>(convert);   // in apply
//   ...
//   if (!objects.progress().is_done) objects.drain();                                     // later, in any thread
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "moult/data_update.hpp"
#include "moult/detail/opaque.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// Whether an object may be moved by copying its bytes, without a destructor call at the old place. Such objects are
/// converted while the program runs, other objects in short stops. The default is true for trivially copyable classes.
/// It also holds for a class without pointers into itself (std::string has one) whose own address is not stored
/// elsewhere. Then say so, for both classes of a conversion: `template <> inline constexpr bool
/// moult::is_relocatable<Data> = true;`
template <class T>
inline constexpr bool is_relocatable = std::is_trivially_copyable_v<T>;

/// The treatment of objects that the program does not use.
enum class Untouched {
  left,     ///< converted at their first use, or by LazyObjects::drain
  drained,  ///< converted by a thread of moult's, after the update
};

/// The progress of a conversion at first use.
struct LazyProgress {
  std::size_t chunks = 0;  ///< slab ranges of 64 KiB or more; each is converted as a whole
  std::size_t converted_chunks = 0;
  std::size_t objects = 0;  ///< objects that lived when the conversion was prepared
  std::size_t converted_objects = 0;
  std::size_t failed_objects = 0;  ///< objects that stay of the old class, mostly because the transformer threw
  bool is_done = false;
};

/// A conversion that goes on after its update. Cheap to copy; every function is safe in any thread.
class LazyObjects final {
 public:
  LazyObjects() noexcept = default;

  /// All zeros before the update is applied.
  LazyProgress progress() const noexcept;
  /// Converts the rest in the calling thread, slab range by slab range, and returns when everything is converted,
  /// including the ranges that other threads convert. Must not be called while holding a mutex that the transformer
  /// takes. Throws std::bad_alloc.
  ///
  /// thread_unstoppable: a thread did not reach a safepoint in time (objects that may not be moved)
  void drain() const;

  explicit LazyObjects(std::shared_ptr<detail::OpaqueLazyConversion> conversion) noexcept;

 private:
  std::shared_ptr<detail::OpaqueLazyConversion> conversion_;
};

namespace detail::inline MOULT_ABI_NAMESPACE {

template <class Old, class New, class Transformer>
ConversionRequest make_lazy_conversion(Transformer&& transformer, const ConversionOptions<Old, New>& options,
                                       Untouched untouched) {
  ConversionRequest conversion = make_conversion<Old, New>(std::forward<Transformer>(transformer), options);
  conversion.lazily = {is_relocatable<Old> && is_relocatable<New>, untouched};
  return conversion;
}

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// Converts every live object of class `Old` that lies in a pool to class `New`, in place, at the first use of its slab
/// range (64 KiB or more of memory), whichever code uses it. The stop converts nothing: it moves the pages away
/// (docs/before-you-start.md gives the time). When everything is converted, no cost remains.
///
/// Rules as for start_eager_update, but the transformer runs later, in a thread of moult's or in one that calls drain.
/// If it throws for an object, that object stays of class Old, and a warning in the log names it.
///
/// Where both classes are relocatable (is_relocatable), transformers run while the program runs, several at a time for
/// different objects. The `const Old&` and the New lie elsewhere meanwhile, so their addresses mean nothing. With
/// Rebind::yes a transformer must not call functions of Old, which lead to New's by then. It may look at other objects
/// of the class, which are converted first. If it looks at an object of the same slab range, or two look at each
/// other's, the objects of that range stay as they are, with a warning.
///
/// Other objects are converted at their addresses, each slab range in a short stop. Transformers then run in a stopped
/// program: they may allocate, but must not wait for another thread, stop the program, or make or delete objects of the
/// class. Other objects look to them as before, except in ranges that are converted already. The old values are
/// destroyed at the end of the range's stop.
///
/// A system call that receives an object's address waits for the conversion as the program does. Where objects may not
/// be moved, it works on the old object, which is converted right after. Where the kernel grants userfaultfd for the
/// program's own accesses only, the system call fails with EFAULT, and a warning says so.
///
/// Undone in the same stop, the objects are what they were; later, only the inverse transformer leads back, in one
/// stop. Another conversion of the class finishes this one first, and so does fork.
///
/// unsupported: no userfaultfd; or, with Rebind::yes, Old's destructor calls a redefined function or calls by pointer,
///   since it runs for old values when all calls already lead to New's functions
/// and the errors of start_eager_update
///
/// After Pymoult's start_lazy_update. Javelus (Gu and others, ISSRE 2012) converts at first use in a virtual machine.
template <class Old, class New, detail::transformer_of<Old, New> Transformer>
LazyObjects start_lazy_update(Transformer&& transformer, const ConversionOptions<Old, New>& options = {},
                              Untouched untouched = Untouched::left) {
  return detail::convert_objects_lazily(
      detail::make_lazy_conversion<Old, New>(std::forward<Transformer>(transformer), options, untouched));
}

/// start_lazy_update as an update. prepare makes every check that can refuse. Alterable as EagerConversionUpdate. With
/// an inverse transformer it can be rolled back.
template <class Old, class New>
class LazyConversionUpdate : public detail::ConversionUpdate {
 public:
  template <detail::transformer_of<Old, New> Transformer>
  LazyConversionUpdate(std::string name, Transformer&& transformer, const ConversionOptions<Old, New>& options = {},
                       Untouched untouched = Untouched::left, std::vector<ThreadId> threads = {})
      : ConversionUpdate(
            std::move(name),
            detail::make_lazy_conversion<Old, New>(std::forward<Transformer>(transformer), options, untouched),
            std::move(threads)) {}

  /// The conversion, for its progress and for draining it; valid at any time after apply.
  LazyObjects objects() const noexcept { return lazy_objects(); }
};

}  // namespace moult
#pragma GCC visibility pop
