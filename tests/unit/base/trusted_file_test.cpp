#include "base/trusted_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "moult/error.hpp"

namespace moult::internal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class TrustedFile : public testing::Test {
 protected:
  TrustedFile() {
    std::string pattern = (fs::temp_directory_path() / "moult-trusted-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    file_ = folder_ / "file";
    std::ofstream(file_) << "text";
    ::chmod(file_.c_str(), 0644);
  }
  ~TrustedFile() override { fs::remove_all(folder_); }

  static void expect_denied(const fs::path& path, const std::string& why) {
    try {
      open_trusted(path, "a text");
      ADD_FAILURE() << why;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::permission_denied);
      EXPECT_THAT(error.what(), HasSubstr(path.string() + ": " + why));
    }
  }

  fs::path folder_;
  fs::path file_;
};

TEST_F(TrustedFile, OfThisUserIsOpened) {
  const Fd opened = open_trusted(file_, "a text");
  char byte = 0;
  EXPECT_EQ(::read(opened.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 't');
}

TEST_F(TrustedFile, ThatEveryUserMayWriteIsRefused) {
  ::chmod(file_.c_str(), 0646);
  expect_denied(file_, "may be written by everybody; chmod o-w");
}

TEST_F(TrustedFile, ThatIsNoRegularOneIsRefused) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  expect_denied(folder_ / "pipe", "is no regular file; give a text");
  expect_denied(folder_, "is no regular file; give a text");
}

TEST_F(TrustedFile, OfAnotherUserOrItsGroupIsRefused) {
  constexpr unsigned nobody = 65534;
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chown(file_.c_str(), nobody, 0), 0);
  expect_denied(file_, "belongs to user 65534, and this process runs as 0");
  ASSERT_EQ(::chown(file_.c_str(), 0, nobody), 0);
  ::chmod(file_.c_str(), 0664);
  expect_denied(file_, "may be written by another group; chmod g-w");
}

TEST_F(TrustedFile, InAFolderThatOthersMayWriteToIsRefused) {
  ::chmod(folder_.c_str(), 0777);
  expect_denied(file_, "its folder " + folder_.string() + "/ may be written by everybody; chmod o-w");
  ::chmod(folder_.c_str(), 01777);
  EXPECT_TRUE(open_trusted(file_, "a text")) << "nobody else can replace a file there";
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  ::chmod(folder_.c_str(), 0755);
  ASSERT_EQ(::chown(folder_.c_str(), 65534, 0), 0);
  expect_denied(file_, "its folder " + folder_.string() + "/ belongs to user 65534");
  ASSERT_EQ(::chown(folder_.c_str(), 0, 65534), 0);
  ::chmod(folder_.c_str(), 0775);
  expect_denied(file_, "its folder " + folder_.string() + "/ may be written by another group; chmod g-w");
}

TEST_F(TrustedFile, ThatIsNotThereIsUnreadable) {
  try {
    open_trusted(folder_ / "none", "a text");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unreadable);
  }
}

}  // namespace
}  // namespace moult::internal
