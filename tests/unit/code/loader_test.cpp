#include "code/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <new>
#include <numeric>
#include <random>
#include <vector>

#include "base/fault.hpp"
#include "elf/update_notes.hpp"
#include "elf/update_structure.hpp"
#include "fixtures/counted.hpp"
#include "fixtures/hidden.hpp"
#include "fixtures/loaded.hpp"
#include "fixtures/shared.hpp"
#include "fixtures/versioned.hpp"
#include "moult/error.hpp"

/// The updates write to it.
[[gnu::visibility("default")]] int loaded_value = 0;
LoadedFunctions loaded_functions;

/// An update links with it.
[[gnu::visibility("default")]] int one_at_run_time() { return 1; }

// Another is in fixtures/hidden.cpp.
[[gnu::used]] static int static_in_two(int amount) { return amount; }

namespace moult::internal {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* build_id = "deadbeef01";

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class Loader : public testing::Test {
 protected:
  Loader() {
    std::string name = testing::TempDir() + "moult-loader-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    root_ = name;
    fs::create_directory(folder());
    loaded_value = 0;
  }
  ~Loader() override { fs::remove_all(root_); }

  std::string folder() const { return root_ / "copies"; }
  std::string sent() const { return root_ / "sent.so"; }

  /// Puts a fixture where it will be sent from.
  void send_unchecked(const std::string& fixture) {
    fs::remove(sent());
    fs::copy_file(FIXTURES + fixture, sent());
    fs::permissions(sent(), fs::perms{0644});
  }
  void send(const std::string& fixture) {
    send_unchecked(fixture);
    write_checksum(sent());
  }

  LoadOptions options(bool force = false) const { return {folder(), force, build_id}; }

  std::size_t copies() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder()), fs::directory_iterator()));
  }

  /// The sent file is refused so, with these words and its own name, and leaves nothing.
  template <class Words>
  void expect_refused(ErrorCode code, const Words& words, bool force = false) {
    try {
      load_update(sent(), options(force));
      FAIL() << "it was loaded";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(error.what(), words);
    }
    EXPECT_EQ(copies(), 0u);
  }

  fs::path root_;
};

TEST_F(Loader, AnUpdateIsLoadedAndRunOnDemand) {
  send("one.so");
  LoadedUpdate update = load_update(sent(), options());
  EXPECT_EQ(loaded_value, 0);
  update.run();
  EXPECT_EQ(loaded_value, 1);
  EXPECT_TRUE(update.warnings().empty());
  EXPECT_THAT(update.library(), testing::StartsWith(folder() + "/sent-"));
  EXPECT_TRUE(fs::exists(update.library())) << "debuggers read it";
}

TEST_F(Loader, TheSamePathWithAnotherContentIsAnotherUpdate) {
  send("one.so");
  LoadedUpdate first = load_update(sent(), options());
  send("two.so");
  LoadedUpdate second = load_update(sent(), options());
  second.run();
  EXPECT_EQ(loaded_value, 2);
  first.run();
  EXPECT_EQ(loaded_value, 1);
}

TEST_F(Loader, OverwritingTheSentFileDoesNotTouchTheLoadedOne) {
  send("one.so");
  LoadedUpdate update = load_update(sent(), options());
  std::ofstream(sent(), std::ios::trunc) << "gone";
  update.run();
  EXPECT_EQ(loaded_value, 1);
}

TEST_F(Loader, AnExceptionOfTheEntryFunctionReachesTheCaller) {
  send("throws.so");
  LoadedUpdate update = load_update(sent(), options());
  EXPECT_THROW(update.run(), int);
}

TEST_F(Loader, VariablesThatTheProgramHidesFromTheUpdateAreRefusedUnlessForced) {
  counted::hidden = counted::exported = counted::once() = 10;
  counted::of_this_file += counted::constant;
  counted_globally = 1;
  const auto words = AllOf(HasSubstr("counted::hidden, counted::once()::value, counted_globally"),
                           HasSubstr("moult::variable"), testing::Not(HasSubstr("counted::exported")),
                           testing::Not(HasSubstr("of_this_file")), testing::Not(HasSubstr("counted::constant")));
  send("doubled.so");
  expect_refused(ErrorCode::unsupported, words);

  LoadedUpdate update = load_update(sent(), options(true));
  EXPECT_THAT(update.warnings(), testing::Contains(HasSubstr("counted_globally; its code would use those")));
  update.run();
  EXPECT_EQ(loaded_value, 12) << "the exported one is the program's";
}

TEST_F(Loader, AStaticVariableOfTheUpdateIsItsOwnWithAWarning) {
  counted::hidden = counted::exported = counted::once() = counted_globally = 1;
  counted::of_this_file += counted::constant;
  send("doubled.so");
  EXPECT_THAT(load_update(sent(), options(true)).warnings(),
              testing::Contains(AllOf(HasSubstr("static variables of its own"), HasSubstr("counted::of_this_file"),
                                      HasSubstr("moult::variable"), testing::Not(HasSubstr("counted::hidden")))));
}

TEST_F(Loader, VariablesThatTheProgramHidesAreTheUpdatesToo) {
  shared::number = 3;
  shared::made = {1, 2, 3, 4};
  shared::Counter<int>::value = 5;
  shared::Registry::get().entries = {1, 2, 3, 4, 5, 6};
  send("shared.so");
  LoadedUpdate update = load_update(sent(), options());
  EXPECT_EQ(shared::made.size(), 4u) << "was initialised again";
  update.run();
  EXPECT_EQ(loaded_value, 3 + 40 + 500 + 6000);
  EXPECT_TRUE(update.warnings().empty());
}

TEST_F(Loader, AnExportedVariableThatTheUpdateDoesNotUseByNameIsRefused) {
  counted::exported = 10;
  send("symbolic.so");
  expect_refused(ErrorCode::unsupported, HasSubstr("counted::exported"));
}

TEST_F(Loader, AVariableThatTheUpdateInitialisesOtherwiseIsRefused) {
  shared::number = 3;
  send("initialised_otherwise.so");
  expect_refused(ErrorCode::unsupported, HasSubstr("shared::number"));
  EXPECT_EQ(shared::number, 3);
}

TEST_F(Loader, CallsOfAnUpdateLeadToItsOwnVersions) {
  EXPECT_EQ(versioned::through(10), 10 + 20);
  send("versioned.so");
  load_update(sent(), options()).run();
  EXPECT_EQ(loaded_functions.through(10), 20 + 21);
  EXPECT_EQ(versioned::through(10), 10 + 20) << "the program's";
}

TEST_F(Loader, AFunctionsAddressIsTheSameInTheProgramAndTheUpdate) {
  send("versioned.so");
  load_update(sent(), options()).run();
  EXPECT_EQ(loaded_functions.addressed, &versioned::addressed);
}

TEST_F(Loader, WhatTheProgramHidesCanBeLinkedWith) {
  send("linked.so");
  LoadedUpdate update = load_update(sent(), options());
  update.run();
  EXPECT_EQ(loaded_value, 50 + 700);
  EXPECT_EQ(hidden_values().number, 6);
  EXPECT_EQ(hidden_values().static_number, 8);
}

TEST_F(Loader, AllHiddenNamesAreBoundWhenOneIsMissing) {
  send("linked.so");
  const HiddenValues before = hidden_values();
  const ArmedFault third("code.loader.open", 3);
  load_update(sent(), options()).run();
  EXPECT_EQ(loaded_value, 10 * before.number + 100 * before.static_number);
  EXPECT_FALSE(third.fired()) << "the file was loaded once for each name";
}

TEST_F(Loader, AStaticFunctionOfTwoFilesIsAmbiguous) {
  send("linked_with_two.so");
  expect_refused(ErrorCode::ambiguous, AllOf(HasSubstr("static_in_two(int)"), HasSubstr("fits 2"),
                                             HasSubstr("hidden.cpp"), HasSubstr("moult::function")));
}

TEST_F(Loader, AnotherBuildOfTheProgramIsRefusedUnlessForced) {
  send("one.so");
  LoadOptions other = options();
  other.program_build_id = "0123";
  try {
    load_update(sent(), other);
    FAIL() << "it was loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::build_id_mismatch);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("sent.so"), HasSubstr(build_id), HasSubstr("0123")));
  }
  EXPECT_EQ(copies(), 0u);
  other.force = true;
  LoadedUpdate update = load_update(sent(), other);
  EXPECT_THAT(update.warnings(), testing::ElementsAre(HasSubstr("0123")));
}

TEST_F(Loader, AnUpdateWithoutATargetIsLoadedWithAWarning) {
  send_unchecked("no_target.so");
  EXPECT_THAT(load_update(sent(), options()).warnings(), testing::Contains(HasSubstr("does not say")));
}

TEST_F(Loader, AnUpdateWithoutAChecksumIsLoadedWithAWarning) {
  send_unchecked("no_target.so");
  EXPECT_THAT(load_update(sent(), options()).warnings(),
              testing::Contains(AllOf(HasSubstr("has no checksum"), HasSubstr("build it with moult_update"))));
  send_unchecked("one.so");
  LoadedUpdate update = load_update(sent(), options());
  EXPECT_THAT(update.warnings(),
              testing::ElementsAre(AllOf(HasSubstr("has no checksum"), HasSubstr("`moult checksum`"))));
  update.run();
  EXPECT_EQ(loaded_value, 1);
}

TEST_F(Loader, ADamagedUpdateIsRefusedEvenIfForced) {
  send("one.so");
  std::string content = content_of(sent());
  content[content.size() / 2] ^= 1;
  std::ofstream(sent(), std::ios::binary) << content;
  expect_refused(
      ErrorCode::unreadable,
      AllOf(HasSubstr(sent()), HasSubstr("is damaged"), HasSubstr("build it again"), testing::Not(HasSubstr(folder()))),
      true);
}

TEST_F(Loader, AFileThatIsNoUpdateIsNotEvenCopied) {
  const ArmedFault armed("platform.private_copy.fill");
  std::ofstream(sent()) << std::string(100'000, 'x');
  expect_refused(ErrorCode::not_an_update, HasSubstr("no ELF file"));
  send("one.so");
  fs::resize_file(sent(), largest_update + 1);
  expect_refused(ErrorCode::unsupported, AllOf(HasSubstr(sent()), HasSubstr("1 GiB")));
  EXPECT_FALSE(armed.fired());
}

TEST_F(Loader, TheRunningProgramsBuildIdIsTheDefault) {
  send("one.so");
  LoadOptions by_default = options();
  by_default.program_build_id.reset();
  try {
    LoadedUpdate update = load_update(sent(), by_default);
    EXPECT_THAT(update.warnings(), testing::ElementsAre(HasSubstr("has no build id")));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::build_id_mismatch);
  }
}

TEST_F(Loader, AnotherVersionOfMoultIsNeverForced) {
  send("other_abi.so");
  expect_refused(ErrorCode::abi_mismatch, AllOf(HasSubstr(sent()), HasSubstr("version 77")), true);
  send("no_note.so");
  expect_refused(ErrorCode::abi_mismatch, AllOf(HasSubstr(sent()), HasSubstr("without moult's note")), true);
}

TEST_F(Loader, AMissingFunctionIsNamedAsItIsWritten) {
  send("unknown_function.so");
  expect_refused(ErrorCode::not_found, AllOf(HasSubstr(sent()), HasSubstr("nowhere::missing(int)")));
}

TEST_F(Loader, AFileThatIsNoUpdateIsRefusedByItsOwnName) {
  std::ofstream(sent()) << "int main() {}";
  expect_refused(ErrorCode::not_an_update, AllOf(HasSubstr(sent()), testing::Not(HasSubstr(folder()))));
}

TEST_F(Loader, AFileCutShortIsRefusedWhereverItEnds) {
  send("one.so");
  std::uintmax_t size = fs::file_size(sent());
  for (std::uintmax_t left = 0; left < size; left += 1 + size / 400) {
    fs::resize_file(sent(), left);
    try {
      load_update(sent(), options());
      ADD_FAILURE() << "it was loaded without all that follows byte " << left;
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::unreadable || error.code() == ErrorCode::not_an_update) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(sent()));
    }
    send("one.so");
  }
}

/// What the child of a test tells its parent, also when it ends.
struct Flips {
  std::atomic<std::size_t> bit;  ///< the one that is tried now
  std::atomic<std::size_t> applied;
  std::atomic<std::size_t> refused;
};

/// The bits of a file of that size that are flipped: some, or all with MOULT_SOAK.
std::vector<std::size_t> bits_to_flip(std::size_t size) {
  std::vector<std::size_t> bits;
  if (std::getenv("MOULT_SOAK") != nullptr) {
    bits.resize(8 * size);
    std::iota(bits.begin(), bits.end(), 0);
    return bits;
  }
  const char* const given = std::getenv("MOULT_SEED");
  const unsigned seed =
      given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
  std::cout << "MOULT_SEED=" << seed << "\n";
  std::mt19937 random(seed);
  constexpr std::size_t head = 8 * 1024;  // headers and notes: half of the bits
  for (int i = 0; i < 1000; ++i) bits.push_back(random() % (i % 2 == 0 ? head : 8 * size));
  return bits;
}

TEST_F(Loader, AnUpdateWithAnyBitFlippedIsRefusedOrAppliedAsItWas) {
  send("one.so");
  const std::string content = content_of(sent());
  const std::vector<std::size_t> bits = bits_to_flip(content.size());
  void* const shared = ::mmap(nullptr, sizeof(Flips), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  Flips& flips = *new (shared) Flips{};
  const pid_t child = ::fork();
  if (child == 0) {
    for (const std::size_t bit : bits) {
      flips.bit = bit;
      std::string damaged = content;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      std::ofstream(sent(), std::ios::binary | std::ios::trunc) << damaged;
      try {
        loaded_value = 0;
        load_update(sent(), options()).run();
        if (loaded_value != 1) ::_exit(1);
        ++flips.applied;
      } catch (const Error&) {
        ++flips.refused;
      }
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "bit " << flips.bit % 8 << " of byte " << flips.bit / 8 << " of " << content.size();
  EXPECT_EQ(flips.applied + flips.refused, bits.size());
  // Only the damage of the checksum's own note can hide that there was a checksum.
  EXPECT_LE(flips.applied, bits.size() / 10);
  ::munmap(shared, sizeof(Flips));
}

TEST_F(Loader, AMissingFileIsUnreadable) { expect_refused(ErrorCode::unreadable, HasSubstr(sent())); }

TEST_F(Loader, AnythingButARegularFileIsRefusedAtOnce) {
  fs::create_directory(sent());
  expect_refused(ErrorCode::permission_denied, HasSubstr("no regular file"));
  fs::remove(sent());
  ASSERT_EQ(::mkfifo(sent().c_str(), 0600), 0);
  expect_refused(ErrorCode::permission_denied, HasSubstr("no regular file"));
}

TEST_F(Loader, AFileThatOthersMayWriteIsRefused) {
  send("one.so");
  fs::permissions(sent(), fs::perms{0646});
  expect_refused(ErrorCode::permission_denied, HasSubstr("everybody"));
}

TEST_F(Loader, AFileOfAnotherUserOrGroupIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  send("one.so");
  ASSERT_EQ(::chown(sent().c_str(), 12345, 0), 0);
  expect_refused(ErrorCode::permission_denied, HasSubstr("user 12345"));
  ASSERT_EQ(::chown(sent().c_str(), 0, 12345), 0);
  fs::permissions(sent(), fs::perms{0664});
  expect_refused(ErrorCode::permission_denied, HasSubstr("another group"));
}

TEST_F(Loader, AFullDiskIsNoRoomAndNamesThePlace) {
  send("one.so");
  std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit small = before;
  small.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_refused(ErrorCode::no_room, HasSubstr(folder()));
  ::setrlimit(RLIMIT_FSIZE, &before);
}

TEST_F(Loader, AFolderThatIsNotThereIsNamed) {
  send("one.so");
  LoadOptions nowhere = options();
  nowhere.folder = root_ / "nowhere";
  try {
    load_update(sent(), nowhere);
    FAIL() << "it was loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::system);
    EXPECT_THAT(error.what(), HasSubstr(nowhere.folder));
  }
}

TEST_F(Loader, AFaultAtAnyStepLeavesNoCopy) {
  send("one.so");
  for (const char* point : {"platform.private_copy.fill", "code.loader.open", "code.update_binding.finish"}) {
    ArmedFault armed(point);
    EXPECT_THROW(load_update(sent(), options()), Error);
    EXPECT_TRUE(armed.fired()) << point;
    EXPECT_EQ(copies(), 0u) << point;
  }
}

}  // namespace
}  // namespace moult::internal
