#include "base/folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace moult::internal {
namespace {

namespace fs = std::filesystem;

class Folder : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "folder-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    path = name;
    std::ofstream(path / "one");
    std::ofstream(path / ".two");
  }
  void TearDown() override { fs::remove_all(path); }

  fs::path path;
};

TEST_F(Folder, HasTheNamesOfItsFiles) { EXPECT_THAT(names_in(path), testing::UnorderedElementsAre("one", ".two")); }

TEST_F(Folder, ThatIsMissingHasNoNames) { EXPECT_THAT(names_in(path / "missing"), testing::IsEmpty()); }

TEST_F(Folder, IsRemovedWithEverythingInIt) {
  fs::create_directory(path / "inner");
  std::ofstream(path / "inner" / "three");
  remove_folder(path);
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(Folder, IsRemovedWithoutWhatItsLinksLeadTo) {
  const fs::path inner = path / "inner";
  fs::create_directory(inner);
  fs::create_symlink(path, inner / "link");
  remove_folder(inner);
  EXPECT_FALSE(fs::exists(inner));
  EXPECT_TRUE(fs::exists(path / "one"));
}

}  // namespace
}  // namespace moult::internal
