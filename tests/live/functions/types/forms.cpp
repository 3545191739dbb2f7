#include "types.hpp"

namespace app {

class Form {
 public:
  virtual int width() const { return 2; }
  virtual int height() const { return 3; }
};

Form* make_form() { return new Form; }
int area_of(const Form& form) { return form.width() * form.height(); }

}  // namespace app
