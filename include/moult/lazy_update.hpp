// Objects that become objects of another class at their first use: start_lazy_update, LazyConversionUpdate.
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

/// Whether an object may be moved to other memory by copying its bytes, the old place being forgotten without its
/// destructor being run. Such objects are converted at first use while the program runs, others in short stops. By
/// default what may be copied so in any case. Say it of your own classes where it holds (no pointer into itself, as
/// std::string has, and no address of its own given to others), for both classes of a conversion:
/// `template <> inline constexpr bool moult::is_relocatable<Data> = true;`
template <class T>
inline constexpr bool is_relocatable = std::is_trivially_copyable_v<T>;

/// Who converts the objects that nobody uses.
enum class Untouched {
  left,     ///< nobody, until somebody does or LazyObjects::drain is called
  drained,  ///< a thread of moult's, from the update on
};

/// How far a conversion at first use is.
struct LazyProgress {
  std::size_t chunks = 0;  ///< of 64 KiB or more; they are converted as a whole
  std::size_t converted_chunks = 0;
  std::size_t objects = 0;  ///< as many as lived when the conversion was prepared
  std::size_t converted_objects = 0;
  std::size_t failed_objects = 0;  ///< which stay objects of the old class: for which the transformer threw, and others
  bool is_done = false;
};

/// A conversion that goes on after its update. Cheap to copy; every function may be called in any thread.
class LazyObjects final {
 public:
  LazyObjects() noexcept = default;

  /// All zeros before the objects' update was applied.
  LazyProgress progress() const noexcept;
  /// Converts what is left in the calling thread, chunk by chunk; returns when all is done, by whomever. Not while the
  /// caller holds a mutex that the transformer takes. Throws std::bad_alloc; Error (thread_unstoppable) where objects
  /// may not be moved.
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

/// Converts every live object of class `Old` that lies in a pool to class `New`, where it is, at the first use of the
/// chunk of memory it lies in (64 KiB or more), whatever code uses it. The stop converts nothing, and moves
/// the memory away (docs/before-you-start.md says how long that takes); what was converted costs nothing more when
/// all is.
///
/// As start_eager_update, but for when the transformer runs and in which thread: later, in one of moult's or one that
/// drains. An object for which it throws stays as it is and counts as one of Old: a warning in the log names it.
///
/// Where both classes may be moved byte by byte (is_relocatable) transformers run while the program runs on, several at
/// a time for different objects. `const Old&` and the New are elsewhere meanwhile, so addresses in them tell nothing.
/// With Rebind::yes they must not call functions of Old, which are New's by then. They may look at other objects of the
/// class, which are converted before; but where one looks at one of the same chunk, or two look at each other's,
/// objects of that chunk stay as they are, with a warning.
///
/// Other objects are converted at their addresses, each chunk in a short stop at its first use. Transformers run in a
/// stopped program then: they may allocate, and must not wait for another thread, stop the program, or make or delete
/// objects of the class. Other objects look to them as they were before, but for those of chunks converted already. The
/// old values are destroyed at the end of their chunk's stop.
///
/// A system call that is given the address of an object waits for its conversion like the program, or, where objects
/// may not be moved, is made on the old object, which is converted right after; where the system grants userfaultfd for
/// the program's own accesses only it fails with EFAULT, and a warning says so. Taken back in the same stop the objects
/// are what they were; later only the inverse transformer leads back, all in one stop. Another conversion of the class
/// finishes this one first, and so does fork.
///
/// Throws Error: unsupported (no userfaultfd; Rebind::yes where Old's destructor calls a function that is redefined, or
/// calls by a pointer: it runs for old values when all calls lead to New's functions), and as start_eager_update does.
/// After Pymoult's start_lazy_update; Javelus (Gu and others, ISSRE 2012) converts at first use in a virtual
/// machine.
template <class Old, class New, detail::transformer_of<Old, New> Transformer>
LazyObjects start_lazy_update(Transformer&& transformer, const ConversionOptions<Old, New>& options = {},
                              Untouched untouched = Untouched::left) {
  return detail::convert_objects_lazily(
      detail::make_lazy_conversion<Old, New>(std::forward<Transformer>(transformer), options, untouched));
}

/// start_lazy_update as an update of its own. What can be refused is refused in prepare. Alterable as
/// EagerConversionUpdate is. With an inverse transformer it can be rolled back.
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

  /// How far it is, to be asked at any time after apply; the rest can be drained by it.
  LazyObjects objects() const noexcept { return lazy_objects(); }
};

}  // namespace moult
#pragma GCC visibility pop
