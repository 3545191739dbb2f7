#include "types.hpp"

namespace app {

class Form {
 public:
  virtual int height() const;
  virtual int width() const;
};

}  // namespace app

namespace next {

int area_of(const app::Form& form) { return 2 * form.height(); }

}  // namespace next
