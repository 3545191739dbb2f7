#include "patched_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "failure.hpp"
#include "file_content.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

/// A tree with a patched header, and a view of it.
class PatchedTreeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (fs::temp_directory_path() / "moult_patched_tree_XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    base_ = fs::canonical(folder);
    write("tree/src/a.cpp", "#include \"b.hpp\"\n");
    write("tree/src/b.hpp", "old\n");
    write("tree/src/b.hpp.gch", "precompiled");
    write("tree/other/text", "other\n");
    write("tree/build/generated.cpp", "#include \"" + path("tree/src/a.cpp") + "\"\n#include </usr/include/a.h>\n");
    write("patched/b.hpp", "new\n");
    write("patched/c.hpp", "more\n");
    fs::create_directory(base_ / "view");
    fs::create_symlink("../src/b.hpp", base_ / "tree/build/link.hpp");
    fs::create_directory_symlink("src", base_ / "tree/linked");
    patched_ = {{path("tree/src/b.hpp"), path("patched/b.hpp")}, {path("tree/src/new/c.hpp"), path("patched/c.hpp")}};
    command_ = {path("tree/build"),
                path("tree/src/a.cpp"),
                "a.o",
                {"ccache", "g++", "-I" + path("tree/src"), "-D", path("tree"), "-DTREE=" + path("tree"), "-isystem",
                 "/usr/include", "-c", path("tree/src/a.cpp"), "-o", "a.o"}};
    view_.emplace(base_ / "view", patched_,
                  std::set<fs::path>{path("tree/src/a.cpp"), path("tree/build/generated.cpp")},
                  std::vector<const CompileCommand*>{&command_});
  }
  void TearDown() override { fs::remove_all(base_); }

  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((base_ / file).parent_path());
    std::ofstream(base_ / file) << text;
  }
  std::string path(const std::string& file) const { return (base_ / file).string(); }
  /// The view's own name of a file.
  std::string in_view(const std::string& file) const { return view_->root().string() + path(file); }

  fs::path base_;
  PatchedFiles patched_;
  CompileCommand command_;
  std::optional<PatchedTree> view_;
};

TEST_F(PatchedTreeTest, ShowsPatchedFilesAmongTheOthers) {
  EXPECT_EQ(content_of(in_view("tree/src/b.hpp")), "new\n");
  EXPECT_EQ(content_of(in_view("tree/src/new/c.hpp")), "more\n");
  EXPECT_EQ(content_of(in_view("tree/other/text")), "other\n");
  EXPECT_EQ(content_of(in_view("tree/build/../src/b.hpp")), "new\n") << "a source's folder is a real one";
  EXPECT_EQ(content_of(in_view("tree/build/link.hpp")), "new\n") << "a link leads to the patched file";
  EXPECT_EQ(content_of(in_view("tree/linked/b.hpp")), "new\n");
  EXPECT_FALSE(fs::exists(in_view("tree/src/b.hpp.gch"))) << "g++ would read it in place of the header";
  EXPECT_EQ(content_of(path("tree/src/b.hpp")), "old\n");
  EXPECT_FALSE(fs::exists(path("tree/src/new")));
}

TEST_F(PatchedTreeTest, LeadsAbsoluteIncludesOfSourcesToItself) {
  EXPECT_EQ(content_of(in_view("tree/build/generated.cpp")),
            "#include \"" + in_view("tree/src/a.cpp") + "\"\n#include </usr/include/a.h>\n");
}

TEST_F(PatchedTreeTest, MovesTheNamesOfFilesInACommandButNotItsDefinitions) {
  const CompileCommand moved = view_->in_view(command_);
  EXPECT_EQ(moved.directory, in_view("tree/build"));
  EXPECT_THAT(moved.arguments, ElementsAre("ccache", "g++", "-ffile-prefix-map=" + view_->root().string() + "=",
                                           "-I" + in_view("tree/src"), "-D", path("tree"), "-DTREE=" + path("tree"),
                                           "-isystem", "/usr/include", "-c", in_view("tree/src/a.cpp"), "-o", "a.o"));
}

TEST_F(PatchedTreeTest, ExpandsResponseFiles) {
  write("tree/build/flags.rsp", "-I" + path("tree/src") + " \"-DNAME=a b\"\n");
  command_.arguments = {"g++", "@flags.rsp", "-c", "../src/a.cpp"};
  EXPECT_THAT(view_->in_view(command_).arguments,
              ElementsAre("g++", testing::_, "-I" + in_view("tree/src"), "-DNAME=a b", "-c", "../src/a.cpp"));
}

TEST_F(PatchedTreeTest, KnowsWhatWasNotReadOfThePatch) {
  view_->note_read({"../src/a.cpp", "/usr/include/stdio.h"}, command_);
  EXPECT_THAT(view_->unread(), ElementsAre(path("tree/src/b.hpp"), path("tree/src/new/c.hpp")));
  view_->note_read({"../src/a.cpp", in_view("tree/src/b.hpp")}, command_);
  EXPECT_THAT(view_->unread(), ElementsAre(path("tree/src/new/c.hpp")));
  view_->note_read({"../src/new/c.hpp"}, command_);
  EXPECT_THAT(view_->unread(), IsEmpty());
}

TEST_F(PatchedTreeTest, RefusesWhatReadTheOriginal) {
  try {
    view_->note_read({path("tree/src/b.hpp")}, command_);
    FAIL() << "half of the patch would be in the update";
  } catch (const CommandFailure& failure) {
    EXPECT_EQ(failure.exit(), ExitCode::refused);
    EXPECT_THAT(failure.what(), testing::HasSubstr("reads " + path("tree/src/b.hpp") + " of the tree itself"));
  }
}

}  // namespace
}  // namespace moult::internal::cli
