#include "source_patch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace moult::internal::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<std::string> places(std::string_view patch, const std::set<std::filesystem::path>& sources) {
  std::vector<std::string> texts;
  for (const PatchPlace& each : places_of_patch(names_in_patch(patch), sources))
    texts.push_back("-p" + std::to_string(each.strip) + " " + each.folder.string());
  return texts;
}

TEST(PatchNames, AreThoseOfOldNewAndRenamedFiles) {
  const PatchNames names = names_in_patch(
      "diff --git a/x b/x\nrename from old name.cpp\nrename to x\n--- a/src/one.cpp\t2026-01-01 00:00:00\n"
      "+++ b/src/one.cpp\n@@ -1 +1 @@\n-a\n+b\n--- /dev/null\n+++ \"b/gr\\303\\266\\303\\237e.cpp\"\r\n");
  EXPECT_THAT(names.all, UnorderedElementsAre("old name.cpp", "a/src/one.cpp", "b/src/one.cpp", "b/größe.cpp"));
  EXPECT_TRUE(names.has_prefixes);
  EXPECT_FALSE(names_in_patch("--- src/one.cpp\n+++ src/one.cpp\n").has_prefixes);
  EXPECT_FALSE(names_in_patch("--- one.cpp.orig\n+++ one.cpp\n").has_prefixes);
  EXPECT_THAT(names_in_patch("no patch\n").all, IsEmpty());
}

TEST(PatchPlaces, AreWhereNamesLeadToSources) {
  EXPECT_THAT(places("--- a/src/one.cpp\n+++ b/src/one.cpp\n", {"/p/src/one.cpp", "/p/lib/one.cpp"}),
              ElementsAre("-p1 /p"));
  EXPECT_THAT(places("--- src/one.cpp\n+++ src/one.cpp\n", {"/p/src/one.cpp", "/p/lib/one.cpp"}),
              ElementsAre("-p0 /p"));
  EXPECT_THAT(places("--- proj/one.cpp\n+++ proj/one.cpp\n", {"/elsewhere/one.cpp"}), ElementsAre("-p1 /elsewhere"));
  EXPECT_THAT(places("--- /p/src/one.cpp.orig\n+++ /p/src/one.cpp\n", {"/p/src/one.cpp"}), ElementsAre("-p1 /"));
  EXPECT_THAT(places("--- one.cpp\n+++ one.cpp\n", {"/p/one.cpp", "/q/one.cpp"}), ElementsAre("-p0 /p", "-p0 /q"));
}

TEST(PatchPlaces, AreNotWhereOnlyAPartOfANameFits) {
  EXPECT_THAT(places("--- a/other.cpp\n+++ b/other.cpp\n", {"/p/another.cpp"}), IsEmpty());
  // The folder is called a, as git's prefix is.
  EXPECT_THAT(places("--- a/one.cpp\n+++ b/one.cpp\n", {"/p/a/one.cpp", "/p/one.cpp"}),
              ElementsAre("-p1 /p/a", "-p1 /p"));
  EXPECT_THAT(places("--- a/../one.cpp\n+++ b/../one.cpp\n", {"/p/one.cpp"}), IsEmpty());
}

}  // namespace
}  // namespace moult::internal::cli
