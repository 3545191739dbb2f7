// Refusals for lack of address space near a function.
#include <malloc.h>
#include <sys/mman.h>

#include <cstdlib>
#include <limits>

#include "platform/memory.hpp"
#include "refusal.hpp"

namespace resources {

using limits::apply;
using limits::expect_refused;
using moult::ErrorCode;
using moult::SafeRedefineUpdate;
using moult::UpdateReport;
using moult::UpdateState;

MOULT_UPDATABLE int number(int x) { return x + 1; }

/// Takes every free page within 2 GB of a function.
class FullNeighbourhood final {
 public:
  explicit FullNeighbourhood(std::uintptr_t around) {
    ::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());  // a shrinking heap would make room
    constexpr std::uintptr_t reach = std::uintptr_t{2} << 30;
    std::uintptr_t begin = around - reach;
    for (const moult::internal::Mapping& mapping : moult::internal::address_space().mappings()) {
      if (mapping.end <= begin) continue;
      if (mapping.begin >= around + reach) break;
      if (mapping.begin > begin) take(begin, mapping.begin);
      begin = mapping.end;
    }
    if (begin < around + reach) take(begin, around + reach);
  }
  ~FullNeighbourhood() {
    for (const Taken& taken : taken_) ::munmap(taken.begin, taken.size);
  }

 private:
  struct Taken {
    void* begin;
    std::size_t size;
  };

  void take(std::uintptr_t begin, std::uintptr_t end) {
    begin = (begin + 4095) / 4096 * 4096;
    end = end / 4096 * 4096;
    void* wanted = reinterpret_cast<void*>(begin);
    constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
    void* got = ::mmap(wanted, end - begin, PROT_NONE, flags, -1, 0);
    ASSERT_EQ(got, wanted);
    taken_.push_back({got, end - begin});
  }

  std::vector<Taken> taken_;
};

/// A function of the C library is terabytes away, so the jump to it needs a slot near the old function.
TEST(Resources, WithoutRoomNearTheFunctionAnUpdateIsRefused) {
  int (*far_function)(int) = ::abs;
  auto redefine_far = [far_function] {
    return apply(std::make_unique<SafeRedefineUpdate>("number", number, far_function));
  };
  {
    FullNeighbourhood full(reinterpret_cast<std::uintptr_t>(&number));
    UpdateReport report = redefine_far();
    expect_refused(report, ErrorCode::no_room, {"number", "no free address space within 2 GB of its code"});
    EXPECT_EQ(number(-3), -2);
  }
  EXPECT_EQ(redefine_far().state, UpdateState::applied);
  EXPECT_EQ(number(-3), 3);
}

}  // namespace resources
