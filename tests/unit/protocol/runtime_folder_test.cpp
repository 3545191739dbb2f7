#include "protocol/runtime_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>

#include "base/fd.hpp"

namespace moult::internal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RuntimeFolder : public testing::Test {
 protected:
  RuntimeFolder() {
    std::string pattern = (fs::temp_directory_path() / "moult-folder-XXXXXX").string();
    base_ = ::mkdtemp(pattern.data());
    around_ = {.xdg_runtime_dir = "",
               .user = ::geteuid(),
               .run_user = (base_ / "run").string(),
               .temporary = (base_ / "tmp").string()};
    fs::create_directory(base_ / "tmp");
  }
  ~RuntimeFolder() override { fs::remove_all(base_); }

  void put_socket(const fs::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << path;
  }

  static mode_t mode_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  fs::path base_;
  RuntimeSurroundings around_;
};

TEST_F(RuntimeFolder, IsInTheXdgFolderWhenThatIsOurs) {
  around_.xdg_runtime_dir = (base_ / "xdg").string();
  fs::create_directory(base_ / "xdg");
  EXPECT_EQ(make_runtime_folder(around_), base_ / "xdg/moult");
  EXPECT_EQ(mode_of(base_ / "xdg/moult"), 0700u);
}

TEST_F(RuntimeFolder, IgnoresARelativeOrMissingXdgFolder) {
  around_.xdg_runtime_dir = "relative";
  EXPECT_EQ(make_runtime_folder(around_), base_ / "tmp" / ("moult-" + std::to_string(::geteuid())));
  around_.xdg_runtime_dir = (base_ / "missing").string();
  EXPECT_EQ(make_runtime_folder(around_), base_ / "tmp" / ("moult-" + std::to_string(::geteuid())));
}

TEST_F(RuntimeFolder, IgnoresTheXdgFolderOfAnotherUser) {
  if (::geteuid() == 0)
    around_.xdg_runtime_dir = (base_ / "xdg").string();
  else
    around_.xdg_runtime_dir = "/";
  fs::create_directory(base_ / "xdg");
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown((base_ / "xdg").c_str(), 65534, 65534), 0);
  }
  EXPECT_EQ(make_runtime_folder(around_), base_ / "tmp" / ("moult-" + std::to_string(::geteuid())));
}

TEST_F(RuntimeFolder, PrefersRunUserToTheTemporaryFolder) {
  fs::create_directories(base_ / "run" / std::to_string(::geteuid()));
  EXPECT_EQ(make_runtime_folder(around_), base_ / "run" / std::to_string(::geteuid()) / "moult");
}

TEST_F(RuntimeFolder, RefusesAFolderOthersMayWriteTo) {
  const fs::path folder = base_ / "tmp" / ("moult-" + std::to_string(::geteuid()));
  fs::create_directory(folder);
  ASSERT_EQ(::chmod(folder.c_str(), 0777), 0);
  try {
    make_runtime_folder(around_);
    FAIL() << "it was used";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::permission_denied);
    EXPECT_THAT(error.what(), HasSubstr("may be written to by other users"));
    EXPECT_THAT(error.what(), HasSubstr("XDG_RUNTIME_DIR"));
  }
}

TEST_F(RuntimeFolder, RefusesASymbolicLinkAndAFile) {
  const fs::path folder = base_ / "tmp" / ("moult-" + std::to_string(::geteuid()));
  fs::create_directory(base_ / "elsewhere");
  fs::create_symlink(base_ / "elsewhere", folder);
  EXPECT_THROW(make_runtime_folder(around_), Error);
  fs::remove(folder);
  std::ofstream(folder) << "a file";
  EXPECT_THROW(make_runtime_folder(around_), Error);
}

TEST_F(RuntimeFolder, RefusesAFolderOfAnotherUser) {
  fs::create_directory(base_ / "mine");
  ASSERT_EQ(::chmod((base_ / "mine").c_str(), 0700), 0);
  EXPECT_NO_THROW(check_folder(base_ / "mine", ::geteuid()));
  EXPECT_THROW(check_folder(base_ / "mine", ::geteuid() + 1), Error);
}

TEST_F(RuntimeFolder, ListsTheSocketsNamedAfterAPidAndNothingElse) {
  around_.xdg_runtime_dir = (base_ / "xdg").string();
  fs::create_directory(base_ / "xdg");
  const fs::path folder = make_runtime_folder(around_);
  put_socket(folder / "12.sock");
  put_socket(folder / "3.sock");
  put_socket(folder / "x3.sock");
  put_socket(folder / "-3.sock");
  std::ofstream(folder / "4.sock") << "a file";
  fs::create_symlink(folder / "3.sock", folder / "5.sock");
  const std::vector<FoundSocket> found = find_sockets(around_);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].pid, 3);
  EXPECT_EQ(found[1].path, folder / "12.sock");
}

TEST_F(RuntimeFolder, OfAProcessThatIsNotThereIsNotFound) {
  EXPECT_THROW(RuntimeSurroundings::of_process(0), Error);
  EXPECT_EQ(RuntimeSurroundings::of_process(::getpid()).user, ::geteuid());
}

}  // namespace
}  // namespace moult::internal
