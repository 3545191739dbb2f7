#include <dlfcn.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "fixtures/shared.hpp"
#include "moult/error.hpp"

namespace {

class Module {
 public:
  explicit Module(const char* name) : handle_(dlopen((std::string(FIXTURES) + name).c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) ADD_FAILURE() << dlerror();
  }
  template <class Signature>
  Signature* function(const char* name) const {
    return reinterpret_cast<Signature*>(dlsym(handle_, name));
  }

 private:
  void* handle_;
};

TEST(Module, ALibraryLoadedLaterUsesTheProgramsPool) {
  std::unique_ptr<Shared> from_program = std::make_unique<Shared>(1);
  Module module("module.so");
  void* from_module = module.function<void*(int)>("module_make")(2);
  EXPECT_EQ(module.function<int()>("module_sum")(), 3);
  EXPECT_EQ(moult::DataAccessor<Shared>().size(), 2u);
  module.function<void(void*)>("module_delete")(from_program.release());
  EXPECT_EQ(moult::DataAccessor<Shared>().size(), 1u);
  delete static_cast<Shared*>(from_module);
  EXPECT_TRUE(moult::DataAccessor<Shared>().empty());
}

TEST(Module, ALibraryThatKnowsTheClassByAnotherSizeIsRefused) {
  std::unique_ptr<Shared> from_program = std::make_unique<Shared>(1);
  Module module("module_other_size.so");
  try {
    module.function<int()>("module_sum")();
    ADD_FAILURE() << "it was let pass";
  } catch (const moult::Error& error) {
    EXPECT_EQ(error.code(), moult::ErrorCode::unsupported);
    EXPECT_STREQ(error.what(),
                 "Shared: its objects in this program are 4 bytes aligned to 4, and 16 bytes aligned to 8 where this "
                 "was compiled; give the changed class another name");
  }
  EXPECT_THROW(module.function<void*(int)>("module_make")(2), moult::Error);
}

}  // namespace
