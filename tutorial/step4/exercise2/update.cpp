// The update of step 4, exercise 2, to be completed: README.md says how.
#include "log_in.hpp"

// Step 1: write a transformer from Session to Session_v2, and one from Page to Page_v2.

// Step 2: complete it. It is alterable when the accept loop is at its static update point and no request is being
// answered, and redefines both functions of the handler.
class LogIn final : public moult::SafeRedefineUpdate {
 public:
  LogIn()
      : SafeRedefineUpdate("log-in", {moult::Redefinition(&Handler::do_get, &Handler_v2::do_get),
                                      moult::Redefinition(&Handler::do_post, &Handler_v2::do_post)}) {}

  bool wait_alterability() override {
    throw moult::Error(moult::ErrorCode::invalid_argument,
                       "wait_alterability is still to be written: see README.md, step 2");
  }

  // Step 3: converts the server, and redefines the functions.
  void apply() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "apply is still to be written: see README.md, step 3");
  }
};

MOULT_UPDATE {
  // Step 1: hand the manager "web server" a LazyConversionUpdate for Session and an EagerConversionUpdate for Page in
  // place of the next statement, and then the LogIn of steps 2 and 3.
  throw moult::Error(moult::ErrorCode::invalid_argument,
                     "the updates of Session and Page are still to be written: see README.md, steps 1 to 3");
}
