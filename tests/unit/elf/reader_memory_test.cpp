#include "elf/reader_memory.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <libelf.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/strict_memory.hpp"
#include "elf/elf_file.hpp"
#include "platform/memory.hpp"

namespace moult::internal {
namespace {

constexpr const char* own_program = "/proc/self/exe";

/// No mapping can be made while it lives.
class FullAddressSpace final {
 public:
  FullAddressSpace() {
    std::ifstream sizes("/proc/self/statm");
    rlim_t pages = 0;
    sizes >> pages;
    ::getrlimit(RLIMIT_AS, &before_);
    const rlimit full{pages * 4096, before_.rlim_max};
    ::setrlimit(RLIMIT_AS, &full);
  }
  ~FullAddressSpace() { ::setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

/// libelf reads the whole file, some megabytes, to memory that it allocates.
class ReaderMemory : public testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer's allocator ends the process without memory";
#endif
    ElfFile::open(own_program);  // from then on
    elf.reset(::elf_begin(file.get(), ELF_C_READ, nullptr));
    ASSERT_NE(elf, nullptr);
  }

  const char* whole_file_without_memory() {
    const FullAddressSpace full;
    std::size_t size = 0;
    return ::elf_rawfile(elf.get(), &size);
  }

  Fd file{::open(own_program, O_RDONLY | O_CLOEXEC)};
  std::unique_ptr<Elf, int (*)(Elf*)> elf{nullptr, ::elf_end};
};

TEST_F(ReaderMemory, AFailedAllocationOfLibelfThrowsInAStrictThread) {
  const StrictMemory strict;
  const std::uint64_t before = failed_reader_allocations();
  EXPECT_THROW(whole_file_without_memory(), std::bad_alloc);
  EXPECT_EQ(failed_reader_allocations(), before + 1);
}

TEST_F(ReaderMemory, AFailedAllocationOfLibelfIsAnErrorOfItsInAnotherThread) {
  EXPECT_EQ(whole_file_without_memory(), nullptr);
}

bool is_mapped(const std::string& path) {
  const std::vector<Mapping> mappings = address_space().mappings();
  return std::ranges::find(mappings, path, &Mapping::path) != mappings.end();
}

TEST_F(ReaderMemory, AFileThatWasOpenWhenAnAllocationFailedIsNotClosed) {
  const std::string copy =
      std::filesystem::canonical(testing::TempDir()) / ("moult-reader-" + std::to_string(::getpid()));
  std::filesystem::copy_file(own_program, copy);
  { const ElfFile closed = ElfFile::open(copy); }
  EXPECT_FALSE(is_mapped(copy));
  {
    const ElfFile left = ElfFile::open(copy);
    const StrictMemory strict;
    EXPECT_THROW(whole_file_without_memory(), std::bad_alloc);
  }
  EXPECT_TRUE(is_mapped(copy)) << "libelf may hold the locks that elf_end takes";
  std::filesystem::remove(copy);
}

TEST_F(ReaderMemory, LibelfGoesOnWhenThereIsMemoryAgain) {
  const StrictMemory strict;
  EXPECT_THROW(whole_file_without_memory(), std::bad_alloc);
  std::size_t size = 0;
  EXPECT_NE(::elf_rawfile(elf.get(), &size), nullptr);
  EXPECT_GT(size, 100'000u);
}

}  // namespace
}  // namespace moult::internal
