#include "platform/shared_page.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "base/fault.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

namespace fs = std::filesystem;

class ASharedPage : public testing::Test {
 protected:
  ASharedPage() {
    std::string pattern = (fs::temp_directory_path() / "moult-page-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    path_ = (folder_ / "page").string();
  }
  ~ASharedPage() override { fs::remove_all(folder_); }

  fs::path folder_;
  std::string path_;
};

TEST_F(ASharedPage, CanBeReadThroughItsFile) {
  const SharedPage page(path_);
  page.begin()[5] = std::byte{'x'};
  std::ifstream file(path_);
  file.seekg(5);
  EXPECT_EQ(file.get(), 'x');
}

TEST_F(ASharedPage, IsReadableByItsUserOnlyAndIsRemovedWithItsOwner) {
  {
    const SharedPage page(path_);
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777u, 0600u);
  }
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(ASharedPage, ReplacesAnOldFileAndFollowsNoLink) {
  std::ofstream(folder_ / "other") << "other";
  fs::create_symlink(folder_ / "other", path_);
  const SharedPage page(path_);
  EXPECT_FALSE(fs::is_symlink(path_));
  EXPECT_EQ(fs::file_size(folder_ / "other"), 5u);
}

TEST_F(ASharedPage, AChildLeavesItToItsParent) {
  auto page = std::make_unique<SharedPage>(path_);
  const pid_t child = ::fork();
  if (child == 0) {
    page.reset();
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(fs::exists(path_));
}

TEST_F(ASharedPage, LeavesNoFileWhenItCannotBeMade) {
  EXPECT_THROW(SharedPage((folder_ / "missing" / "page").string()), Error);
  const ArmedFault armed("platform.shared_page.make");
  EXPECT_THROW(SharedPage{path_}, Error);
  EXPECT_FALSE(fs::exists(path_));
}

}  // namespace
}  // namespace moult::internal
