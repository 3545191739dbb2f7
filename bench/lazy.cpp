// Conversion of objects at their first use.
//
// The stop is that of the whole update, from the first thread asked to the last one released, for ten million objects
// and for ten thousand. The first touch is one load from each page of memory that nobody has used since: a page's share
// of the conversion of its chunk. Of objects that may not be moved it is one load from each chunk, which is converted
// in a stop of its own. Afterwards: the time to read all objects that were converted so, against as many of the same
// class that never were, and that by what it was before any conversion: no two pools lie alike in the machine's memory.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench.hpp"
#include "classes/object_change.hpp"
#include "moult/lazy_update.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace bench {
namespace subject {

/// A pool for each, so that they are converted separately.
enum class Pool { many, few, untouched };

template <Pool which>
struct Plain : moult::Updatable<Plain<which>, 48> {
  explicit Plain(std::uint64_t number = 0) : numbers{number, 1, 2, 3, 4, 5} {}
  std::array<std::uint64_t, 6> numbers;
};
template <Pool which>
struct Summed {
  std::array<std::uint64_t, 6> numbers;
  std::uint64_t sum;
};

}  // namespace subject
}  // namespace bench

template <bench::subject::Pool which>
inline constexpr bool moult::is_relocatable<bench::subject::Plain<which>> = true;

namespace bench {
namespace subject {

constexpr std::size_t page_size = 4096;

template <Pool which>
struct ToSummed {
  Summed<which> operator()(const Plain<which>& old) const noexcept {
    return {old.numbers, old.numbers[0] + old.numbers[5]};
  }
};
template <Pool which>
struct ToPlain {
  Plain<which> operator()(const Summed<which>& now) const noexcept { return Plain<which>(now.numbers[0]); }
};

template <Pool which>
class Objects final {
 public:
  explicit Objects(std::size_t count) {
    objects_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) objects_.push_back(std::make_unique<Plain<which>>(i));
  }

  /// Returns how long the program stood still. The objects then wait for their first use.
  double begin() {
    auto conversion =
        moult::detail::make_lazy_conversion<Plain<which>, Summed<which>>(ToSummed<which>(), {}, moult::Untouched::left);
    moult::internal::ObjectChange change = moult::internal::ObjectChange::prepare(conversion);
    const double seconds = seconds_of([&] {
      moult::internal::in_stopped_world(
          {}, [&](const moult::internal::StoppedWorld& stopped) { change.commit(stopped, nullptr); });
    });
    change.finish();
    waiting_ = change.objects();
    return seconds;
  }
  /// Seconds a page, the mean over all.
  double touch() const {
    std::size_t pages = 0;
    const double seconds = seconds_of([&] {
      std::uintptr_t last = 0;
      for (const auto& object : objects_) {
        const std::uintptr_t page = reinterpret_cast<std::uintptr_t>(object.get()) / page_size;
        if (page == last) continue;
        *static_cast<const volatile std::uint64_t*>(&object->numbers[0]);
        last = page;
        ++pages;
      }
    });
    return seconds / static_cast<double>(pages);
  }
  double read_all() const {
    return seconds_of([this] {
      std::uint64_t sum = 0;
      for (const auto& object : objects_) sum += object->numbers[3];
      *static_cast<volatile std::uint64_t*>(&read_) = sum;
    });
  }
  void end() {
    waiting_.drain();
    moult::start_eager_update<Summed<which>, Plain<which>>(ToPlain<which>());
  }
  void drain() const { waiting_.drain(); }

 private:
  std::vector<std::unique_ptr<Plain<which>>> objects_;
  moult::LazyObjects waiting_;
  mutable std::uint64_t read_ = 0;
};

/// Not relocatable: the string points into the object.
struct Named : moult::Updatable<Named, 48> {
  explicit Named(std::uint64_t number) : numbers{number, 1}, name(std::to_string(number)) {}
  std::array<std::uint64_t, 2> numbers;
  std::string name;
};
struct NamedTwo {
  std::array<std::uint64_t, 2> numbers;
  std::string name;
  std::uint64_t sum;
};

/// Seconds a slab range, the mean over all: reads one object of each.
double touch_in_place(std::size_t count) {
  constexpr std::size_t chunk_size = 65536;
  std::vector<std::unique_ptr<Named>> objects;
  for (std::size_t i = 0; i < count; ++i) objects.push_back(std::make_unique<Named>(i));
  moult::start_lazy_update<Named, NamedTwo>([](const Named& old) -> NamedTwo {
    return {old.numbers, old.name, old.numbers[0] + old.numbers[1]};
  });
  std::size_t chunks = 0;
  const double seconds = seconds_of([&] {
    std::uintptr_t last = 0;
    for (const auto& object : objects) {
      const std::uintptr_t chunk = reinterpret_cast<std::uintptr_t>(object.get()) / chunk_size;
      if (chunk == last) continue;
      *static_cast<const volatile std::uint64_t*>(&object->numbers[0]);
      last = chunk;
      ++chunks;
    }
  });
  moult::start_eager_update<NamedTwo, Named>([](const NamedTwo& now) { return Named(now.numbers[0]); });
  return seconds / static_cast<double>(chunks);
}

std::string in_microseconds(double seconds) { return std::to_string(seconds * 1e6) + " us"; }

}  // namespace subject

Rows measure_lazy() {
  using namespace subject;
  constexpr int rounds = 5;
  constexpr double longest_stop = 1e-3;
  constexpr double longest_touch = 10e-6;
  constexpr double longest_touch_in_place = 1e-3;
  Objects<Pool::many> many(10'000'000);
  Objects<Pool::few> few(10'000);
  Objects<Pool::untouched> untouched(10'000'000);
  const auto compare_reading = [&] {
    return interleave(
        rounds, [&] { return many.read_all(); }, [&] { return untouched.read_all(); });
  };
  const Pair reads_before = compare_reading();
  std::vector<double> touches;
  const auto stop_of_many = [&] {
    const double seconds = many.begin();
    touches.push_back(many.touch());
    many.end();
    return seconds;
  };
  const auto stop_of_few = [&] {
    const double seconds = few.begin();
    few.end();
    return seconds;
  };
  const Pair stops = interleave(rounds, stop_of_many, stop_of_few);
  const double touch = median(touches);
  std::vector<double> touches_in_place;
  for (int round = 0; round < rounds; ++round) touches_in_place.push_back(touch_in_place(100'000));
  const double in_place = median(touches_in_place);
  many.begin();
  many.drain();
  const Pair reads = compare_reading();
  many.end();
  return {{"stop for conversion at first use, 10M objects", stops.measured * 1e6, "us",
           "10k objects: " + in_microseconds(stops.reference), stops.measured / stops.reference, 1.5},
          {"stop for conversion at first use, 10M objects", stops.measured * 1e6, "us", "1 ms",
           stops.measured / longest_stop, 1.0},
          {"first touch of 4 KiB of objects to be converted", touch * 1e6, "us", "10 us", touch / longest_touch, 1.0},
          {"first touch of a chunk of objects converted in place", in_place * 1e6, "us", "1 ms",
           in_place / longest_touch_in_place, 1.0},
          {"reading 10M objects that were converted at first use", reads.measured * 1e3, "ms",
           "objects never converted: " + std::to_string(reads.reference * 1e3) + " ms; before, " +
               std::to_string(reads_before.measured * 1e3) + " and " + std::to_string(reads_before.reference * 1e3),
           (reads.measured / reads.reference) / (reads_before.measured / reads_before.reference), 1.02}};
}

}  // namespace bench
