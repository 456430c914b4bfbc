"""XHSTT, the benchmark format of high-school timetabling: reading, judging, solving, writing."""
