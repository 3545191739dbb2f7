#include "protocol/progress_file.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "base/progress.hpp"

namespace moult::internal {
namespace {

namespace fs = std::filesystem;

class ProgressFile : public testing::Test {
 protected:
  ProgressFile() {
    std::string pattern = (fs::temp_directory_path() / "moult-progress-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    hang_up_progress_board(&board_);
  }
  ~ProgressFile() override {
    hang_up_progress_board(nullptr);
    fs::remove_all(folder_);
  }

  /// The board as another process sees it.
  std::optional<WorkInProgress> look() const {
    const fs::path path = folder_ / progress_name(12);
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(&board_), sizeof board_);
    return read_progress(path);
  }

  fs::path folder_;
  ProgressBoard board_;
};

TEST_F(ProgressFile, ShowsNothingBeforeWorkBeginsAndAfterItHasEnded) {
  EXPECT_FALSE(look());
  { const ProgressScope progress("app::Data to DataV2", 1000, 1); }
  EXPECT_FALSE(look());
}

TEST_F(ProgressFile, HalfDoneObjectsCountHalf) {
  ProgressScope progress("app::Data to DataV2", 1000, 2);
  progress.add(500);
  const std::optional<WorkInProgress> work = look();
  ASSERT_TRUE(work);
  EXPECT_EQ(work->what, "app::Data to DataV2");
  EXPECT_EQ(work->objects, 1000u);
  EXPECT_EQ(work->done, 250);
}

TEST_F(ProgressFile, EachOperationHasANumberOfItsOwn) {
  std::uint64_t first = 0;
  {
    const ProgressScope progress("one", 10, 1);
    first = look()->number;
  }
  ProgressScope progress("another", 10, 1);
  EXPECT_NE(look()->number, first);
  EXPECT_EQ(look()->done, 0);
}

TEST_F(ProgressFile, CutsLongTextAndReplacesControlCharacters) {
  const ProgressScope progress("\033[31m" + std::string(1000, 'x'), 10, 1);
  EXPECT_EQ(look()->what, "?[31m" + std::string(sizeof(ProgressBoard::what) - 1 - 5, 'x'));
}

TEST_F(ProgressFile, AnotherFileSaysNothing) {
  const fs::path path = folder_ / "other";
  EXPECT_FALSE(read_progress(path)) << "it is not there";
  std::ofstream(path) << std::string(sizeof(ProgressBoard), '\1');
  EXPECT_FALSE(read_progress(path));
  std::ofstream(path) << "short";
  EXPECT_FALSE(read_progress(path));
}

}  // namespace
}  // namespace moult::internal
