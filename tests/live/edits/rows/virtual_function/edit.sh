sed -i 's/  virtual int area/  virtual int sides() const { return 1; }\n  virtual int area/; s/\[0\]->area(side)/[0]->sides()/' app.cpp
