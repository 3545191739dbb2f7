// Eager conversion of ten million objects of 48 bytes, against loops written by hand that do the same to an array.
//
// What is measured is what the program stands still for: commit and the end of the stop, not the stop itself, and not
// the memory taken before it. The loops get their memory beforehand, too. After each round all objects are converted
// back, which is not measured. The last rows compare conversion by as many threads as there are processors with that by
// one: on a machine with one they show 1.
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

#include "base/transaction.hpp"
#include "bench.hpp"
#include "classes/object_change.hpp"
#include "moult/data_update.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace bench {
namespace subject {

constexpr std::size_t object_count = 10'000'000;
constexpr int rounds = 5;

struct Before : moult::Updatable<Before, 48> {
  explicit Before(std::uint64_t number = 0) : numbers{number, 1, 2, 3, 4, 5} {}
  std::array<std::uint64_t, 6> numbers;
};
static_assert(sizeof(Before) == 48);

struct Longer {
  std::array<std::uint64_t, 6> numbers;
  std::uint64_t sum;
};
struct Named {
  std::array<std::uint64_t, 6> numbers;
  std::string origin;
};

Longer longer(const Before& old) noexcept { return {old.numbers, old.numbers[0] + old.numbers[5]}; }
Named named(const Before& old) { return {old.numbers, std::string("localhost")}; }
template <class New>
Before before(const New& now) noexcept {
  return Before(now.numbers[0]);
}

struct NeverFails {
  Longer operator()(const Before& old) const noexcept { return longer(old); }
};
struct MayFail {
  Longer operator()(const Before& old) const { return longer(old); }
};
struct AddsString {
  Named operator()(const Before& old) const { return named(old); }
};
template <class New>
struct Back {
  Before operator()(const New& now) const noexcept { return before(now); }
};

/// Converts all objects, and returns how long the program stood still.
template <class Old, class New, class Transformer>
double convert(Transformer transformer, moult::Transformers transformers = moult::Transformers::one_at_a_time) {
  moult::detail::ConversionRequest conversion =
      moult::detail::make_conversion<Old, New>(transformer, {.transformers = transformers});
  moult::internal::ObjectChange change = moult::internal::ObjectChange::prepare(conversion);
  double seconds = 0;
  moult::internal::in_stopped_world({}, [&](const moult::internal::StoppedWorld& stopped) {
    seconds = seconds_of([&] { change.commit(stopped, nullptr); });
  });
  change.finish();
  return seconds;
}

/// Objects side by side, like a pool's slots, with memory for new values.
class Array final {
 public:
  static constexpr std::size_t slot_size = 96;

  Array() : slots_(new std::byte[object_count * slot_size]), beside_(new std::byte[object_count * slot_size]) {
    std::memset(beside_.get(), 0, object_count * slot_size);
    for (std::size_t i = 0; i < object_count; ++i) ::new (slot(i)) Before(i);
  }

  double in_place() {
    double seconds = seconds_of([this] {
      for (std::size_t i = 0; i < object_count; ++i) {
        Longer made = longer(as<Before>(slot(i)));
        ::new (slot(i)) Longer(made);
      }
    });
    back<Longer>();
    return seconds;
  }

  /// Makes all new values first, since making one may fail, then moves each into its slot.
  template <class New, class Transformer>
  double two_passes(Transformer transformer) {
    double seconds = seconds_of([&] {
      for (std::size_t i = 0; i < object_count; ++i)
        ::new (beside_.get() + i * sizeof(New)) New(transformer(as<Before>(slot(i))));
      for (std::size_t i = 0; i < object_count; ++i) {
        New& made = as<New>(beside_.get() + i * sizeof(New));
        ::new (slot(i)) New(std::move(made));
        made.~New();  // NOLINT(bugprone-use-after-move): what is left of it has a destructor too
      }
    });
    back<New>();
    return seconds;
  }

 private:
  std::byte* slot(std::size_t index) const { return slots_.get() + index * slot_size; }
  template <class T>
  static T& as(std::byte* place) {
    return *std::launder(reinterpret_cast<T*>(place));
  }
  template <class New>
  void back() {
    for (std::size_t i = 0; i < object_count; ++i) {
      New& now = as<New>(slot(i));
      Before old = before(now);
      now.~New();
      ::new (slot(i)) Before(old);
    }
  }

  std::unique_ptr<std::byte[]> slots_;
  std::unique_ptr<std::byte[]> beside_;
};

template <class New, class Transformer>
double there(Transformer transformer, moult::Transformers transformers = moult::Transformers::one_at_a_time) {
  double seconds = convert<Before, New>(transformer, transformers);
  convert<New, Before>(Back<New>());
  return seconds;
}

Row row_of(const std::string& name, const Pair& pair, const std::string& reference, double limit) {
  return {"conversion of 10M objects, " + name,
          pair.measured * 1e3,
          "ms",
          reference + ": " + std::to_string(pair.reference * 1e3) + " ms",
          pair.measured / pair.reference,
          limit};
}

}  // namespace subject

Rows measure_conversion() {
  using namespace subject;
  std::vector<std::unique_ptr<Before>> objects;
  objects.reserve(object_count);
  for (std::size_t i = 0; i < object_count; ++i) objects.push_back(std::make_unique<Before>(i));
  Array array;
  Rows rows;
  rows.push_back(row_of("nothing can fail",
                        interleave(
                            rounds, [] { return there<Longer>(NeverFails()); }, [&] { return array.in_place(); }),
                        "one loop in place", 2.0));
  rows.push_back(
      row_of("may throw",
             interleave(
                 rounds, [] { return there<Longer>(MayFail()); }, [&] { return array.two_passes<Longer>(MayFail()); }),
             "two passes by hand", 1.5));
  rows.push_back(row_of(
      "a string added",
      interleave(
          rounds, [] { return there<Named>(AddsString()); }, [&] { return array.two_passes<Named>(AddsString()); }),
      "two passes by hand", 1.5));
  const auto concurrent = moult::Transformers::concurrent;
  rows.push_back(row_of(
      "a string added, by every processor",
      interleave(
          rounds, [=] { return there<Named>(AddsString(), concurrent); }, [] { return there<Named>(AddsString()); }),
      "by one", 1.0));
  rows.push_back(
      row_of("may throw, by every processor",
             interleave(
                 rounds, [=] { return there<Longer>(MayFail(), concurrent); }, [] { return there<Longer>(MayFail()); }),
             "by one", 1.0));
  return rows;
}

}  // namespace bench
