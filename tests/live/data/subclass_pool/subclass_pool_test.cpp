// A class grows whose objects are in a pool of its own, under a base with another one.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "moult/manager.hpp"
#include "shapes.hpp"

namespace {

TEST(SubclassPool, AClassWithAPoolUnderABaseWithOneGrows) {
  moult::Manager manager("test");
  const std::unique_ptr<Shape> before = make_square(3);
  const std::unique_ptr<Shape> plain = std::make_unique<Shape>();
  void* const library = ::dlopen(UPDATE, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << ::dlerror();
  reinterpret_cast<void (*)()>(::dlsym(library, "moult_update_entry"))();
  manager.apply_next_update();
  const moult::UpdateReport report = moult::all_updates().back();
  ASSERT_EQ(report.state, moult::UpdateState::applied) << report.reason;
  const std::string name = ", a name that is longer than a string holds without memory";
  EXPECT_EQ(before->text(), "square 3" + name);
  EXPECT_EQ(make_square(4)->text(), "square 4" + name);
  EXPECT_EQ(plain->text(), "shape");
}

}  // namespace
