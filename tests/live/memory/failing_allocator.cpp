// Preloaded into a program: in moult's threads ("moult ..."), those allocations fail that the test's plan names. They
// are counted across malloc and its relatives, operator new, which calls them, and mmap.
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "allocation_plan.hpp"

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

constinit memory::AllocationPlan* plan = nullptr;

[[gnu::constructor]] void read_plan() noexcept { plan = memory::map_plan(std::getenv(memory::plan_variable)); }

bool is_in_thread_of_moult() noexcept {
  char name[16] = "";
  ::prctl(PR_GET_NAME, name);
  return std::string_view(name, 6) == "moult ";
}

bool fails() noexcept {
  if (plan == nullptr || !is_in_thread_of_moult()) return false;
  const std::int64_t number = ++plan->seen;
  const std::int64_t first = plan->first;
  if (first == 0 || number < first || number > plan->last) return false;
  ++plan->failed;
  errno = ENOMEM;
  return true;
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) noexcept { return fails() ? nullptr : __libc_malloc(size); }

void* calloc(std::size_t count, std::size_t size) noexcept { return fails() ? nullptr : __libc_calloc(count, size); }

void* realloc(void* block, std::size_t size) noexcept { return fails() ? nullptr : __libc_realloc(block, size); }

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return fails() ? nullptr : __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept { return memalign(alignment, size); }

int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  void* const made = memalign(alignment, size);
  if (made == nullptr) return ENOMEM;
  *block = made;
  return 0;
}

void* mmap(void* address, std::size_t size, int protection, int flags, int file, off_t offset) noexcept {
  if (fails()) return MAP_FAILED;
  return reinterpret_cast<void*>(::syscall(SYS_mmap, address, size, protection, flags, file, offset));
}

void* mmap64(void* address, std::size_t size, int protection, int flags, int file, off64_t offset) noexcept {
  return mmap(address, size, protection, flags, file, offset);
}

}  // extern "C"
