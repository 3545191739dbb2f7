// The cost of an object in a pool: the time to make and delete it, its memory, and a visit of all live objects. Against
// malloc, and against a plain array of the same bytes.
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <thread>

#include "base/opaque.hpp"
#include "bench.hpp"
#include "moult/data_access.hpp"
#include "pools/live_objects.hpp"

namespace bench {
namespace {

template <std::size_t Size>
struct Plain {
  std::array<std::uint64_t, Size / 8> words;
};

/// Each `Use` has a pool of its own.
template <std::size_t Size, int Use = 0>
struct Pooled : moult::Updatable<Pooled<Size, Use>> {
  std::array<std::uint64_t, Size / 8> words;
};

/// The order in which objects are replaced, the same in every measurement.
const std::vector<std::uint32_t>& random_numbers() {
  static const std::vector<std::uint32_t> numbers = [] {
    std::vector<std::uint32_t> made(1 << 16);
    std::mt19937 engine(1);
    for (std::uint32_t& number : made) number = static_cast<std::uint32_t>(engine());
    return made;
  }();
  return numbers;
}

/// 10,000 live objects; one at a time is replaced by a new one.
template <class T>
double replace_nanoseconds() {
  constexpr int rounds = 10;
  const std::vector<std::uint32_t>& numbers = random_numbers();
  std::vector<std::unique_ptr<T>> objects(10'000);
  for (std::unique_ptr<T>& object : objects) object.reset(new T);
  double seconds = seconds_of([&] {
    for (int round = 0; round < rounds; ++round)
      for (std::uint32_t number : numbers) {
        std::unique_ptr<T>& object = objects[number % objects.size()];
        object.reset();
        object.reset(new T);
        object->words[0] = number;
      }
  });
  return seconds * 1e9 / rounds / static_cast<double>(numbers.size());
}

/// Makes 100,000 objects one after the other, then deletes them.
template <class T>
double batch_nanoseconds() {
  constexpr int rounds = 10;
  std::vector<std::unique_ptr<T>> objects(100'000);
  double seconds = seconds_of([&] {
    for (int round = 0; round < rounds; ++round) {
      for (std::unique_ptr<T>& object : objects) {
        object.reset(new T);
        object->words[0] = 1;
      }
      for (std::unique_ptr<T>& object : objects) object.reset();
    }
  });
  return seconds * 1e9 / rounds / static_cast<double>(objects.size());
}

/// Makes 10,000 objects, which another thread deletes.
template <class T>
double passed_on_nanoseconds() {
  constexpr int rounds = 100;
  std::vector<std::unique_ptr<T>> objects(10'000);
  double seconds = seconds_of([&] {
    for (int round = 0; round < rounds; ++round) {
      for (std::unique_ptr<T>& object : objects) {
        object.reset(new T);
        object->words[0] = 1;
      }
      std::jthread([&objects] {
        for (std::unique_ptr<T>& object : objects) object.reset();
      });
    }
  });
  return seconds * 1e9 / rounds / static_cast<double>(objects.size());
}

/// The mean over `threads` that measure at the same time.
double in_threads(int threads, double (*measure)()) {
  if (threads == 1) return measure();
  std::vector<double> results(static_cast<std::size_t>(threads));
  {
    std::vector<std::jthread> running;
    for (double& result : results) running.emplace_back([&result, measure] { result = measure(); });
  }
  return std::accumulate(results.begin(), results.end(), 0.0) / threads;
}

/// Bytes of memory an object, for 1,000,000 objects, by the allocator's own count.
template <class T, class Used>
double bytes_an_object(Used&& used) {
  constexpr std::size_t count = 1'000'000;
  std::vector<std::unique_ptr<T>> objects(count);
  std::size_t before = used();
  for (std::unique_ptr<T>& object : objects) {
    object.reset(new T);
    object->words.fill(1);
  }
  return static_cast<double>(used() - before) / count;
}

std::size_t used_by_malloc() {
  struct mallinfo2 info = ::mallinfo2();
  return info.arena + info.hblkhd - info.fordblks;
}

std::size_t used_by_pools() {
  std::size_t bytes = 0;
  for (const moult::internal::PoolStatistics& pool : moult::internal::pool_statistics())
    bytes += pool.resident + pool.metadata;
  return bytes;
}

std::string nanoseconds(double value) { return std::to_string(value) + " ns"; }

template <std::size_t Size>
void add_times(Rows& rows) {
  struct Case {
    const char* name;
    double (*pooled)();
    double (*plain)();
  };
  for (const Case& each :
       {Case{"replaced at random", replace_nanoseconds<Pooled<Size>>, replace_nanoseconds<Plain<Size>>},
        Case{"made and deleted in turn", batch_nanoseconds<Pooled<Size>>, batch_nanoseconds<Plain<Size>>},
        Case{"deleted by another thread", passed_on_nanoseconds<Pooled<Size>>, passed_on_nanoseconds<Plain<Size>>}})
    for (int threads : {1, 4}) {
      Pair pair = interleave(
          15, [&] { return in_threads(threads, each.pooled); }, [&] { return in_threads(threads, each.plain); });
      rows.push_back({std::to_string(Size) + " bytes " + each.name + ", threads: " + std::to_string(threads),
                      pair.measured, "ns", "malloc and free, " + nanoseconds(pair.reference),
                      pair.measured / pair.reference, 1.2});
    }
}

template <std::size_t Size>
void add_memory(Rows& rows) {
  double pooled = bytes_an_object<Pooled<Size, 1>>(used_by_pools);
  double plain = bytes_an_object<Plain<Size>>(used_by_malloc);
  rows.push_back({"memory for an object of " + std::to_string(Size) + " bytes", pooled, "B",
                  "malloc, " + std::to_string(plain) + " B", pooled / plain, 1.25});
}

void add_visit(Rows& rows) {
  using Object = Pooled<48>;
  constexpr std::size_t count = 10'000'000;
  std::vector<Object*> objects(count);
  for (std::size_t i = 0; i < count; ++i) {
    objects[i] = new Object;
    objects[i]->words.fill(i);
  }
  std::vector<Plain<48>> array(count, Plain<48>{{1, 2, 3, 4, 5, 6}});
  const auto& pool = moult::internal::behind<moult::internal::Pool>(moult::detail::ModulePool<Object, 0>::get());
  std::unique_ptr<moult::internal::StoppedWorld> stopped = moult::internal::StoppedWorld::stop({});
  auto visit = [&] {
    std::uint64_t sum = 0;
    double seconds = seconds_of([&] {
      moult::internal::for_each_live(pool, *stopped, [&](const std::byte* slot) {
        for (std::uint64_t word : reinterpret_cast<const Object*>(slot)->words) sum += word;
      });
    });
    asm volatile("" ::"r"(sum));
    return seconds * 1e3;
  };
  auto pass = [&] {
    std::uint64_t sum = 0;
    double seconds = seconds_of([&] {
      for (const Plain<48>& object : array)
        for (std::uint64_t word : object.words) sum += word;
    });
    asm volatile("" ::"r"(sum));
    return seconds * 1e3;
  };
  Pair pair = interleave(5, visit, pass);
  stopped.reset();
  for (Object* object : objects) delete object;
  rows.push_back({"a visit of 10 million objects of 48 bytes", pair.measured, "ms",
                  "a pass over an array of the same, " + std::to_string(pair.reference) + " ms",
                  pair.measured / pair.reference, 2.0});
}

}  // namespace

Rows measure_pools() {
  Rows rows;
  add_times<48>(rows);
  add_times<200>(rows);
  add_memory<24>(rows);
  add_memory<48>(rows);
  add_memory<200>(rows);
  add_visit(rows);
  return rows;
}

}  // namespace bench
