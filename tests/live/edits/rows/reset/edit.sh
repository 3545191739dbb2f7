sed -i 's/limit = 10/limit = 20/; s/total = 1/total = -1/; s/{1, 2.5}/{11, 12.5}/; s/{1, 2, 3}/{4, 5, 6}/
  s/is_on = false/is_on = true/; s/left = 7/left = 0/; s/asked{100}/asked{300}/; s/count = 5/count = 50/
  s/kept = 1000/kept = 2000/' app.cpp
