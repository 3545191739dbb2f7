// An update that was compiled with the headers this version of the binary interface began with does what it says, with
// the library of today. abidiff sees what the library exports, but not the templates that an update carries with it.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "moult/class_additions.hpp"
#include "moult/manager.hpp"
#include "moult/thread.hpp"
#include "program.hpp"

namespace {

using moult::UpdateReport;
using moult::UpdateState;
using testing::HasSubstr;

TEST(RecordedUpdate, DoesWhatItSays) {
  app::note();
  app::card();
  app::person();
  int turns = 0;
  moult::Thread counter("counter", [&] { turns = app::count_turns(1'000'000'000); });
  moult::Thread worker("worker", app::work);

  void* const library = ::dlopen(UPDATE, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << ::dlerror();
  reinterpret_cast<void (*)()>(::dlsym(library, "moult_update_entry"))();
  for (const UpdateReport& report : moult::all_updates()) {
    if (report.code == moult::ErrorCode::unsupported) continue;  // for want of userfaultfd, and then another follows
    EXPECT_EQ(report.state, UpdateState::applied) << report.name << ": " << report.reason;
  }

  EXPECT_EQ(app::greet("Ada"), "Good day, Ada");
  EXPECT_EQ(app::describe_by(7), "number 7");
  EXPECT_EQ(moult::call_method<std::string(int)>(app::person(), "describe", 2), "Ada..");
  EXPECT_EQ((moult::field<app::Person, int>("age").of(app::person())), 3);
  EXPECT_EQ(app::seen.old_calls, 0u);
  EXPECT_EQ(app::seen.walked_people, 1u);
  EXPECT_THAT(app::note().text(), HasSubstr("7, a title"));
  EXPECT_THAT(std::make_unique<app::Note>(8)->text(), HasSubstr("8, a title"));
  EXPECT_EQ(app::card().number, 42);
  EXPECT_TRUE(app::seen.has_new_thread_run);
  counter.join();
  EXPECT_EQ(turns, 1001);
  worker.join();
  EXPECT_TRUE(app::seen.has_new_main_run);

  moult::roll_back("notes");
  EXPECT_EQ(app::note().text(), "7");
  moult::roll_back("code");
  EXPECT_EQ(app::greet("Ada"), "Hello, Ada");
  EXPECT_EQ(app::describe_by(7), "7");
}

}  // namespace
